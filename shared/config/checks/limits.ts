import type { Secret } from '@culvert/crypto';
import { splitAddressPort } from '../values.ts';
import type { Parts, Report } from './parts.ts';

/**
 * What surrounds an inner packet at the least: IPv4 20, UDP 8, ESP 8 + IV 8 + trailer 2 + ICV 12, UDP 8,
 * L2TP 6, PPP 1.
 */
const OVERHEAD_MIN = 73;
/** What one session's machines can answer in one step. */
const CALLS_MAX = 8;
/** One port for each service's metrics. */
const METRICS_PORTS = 5;

export function checkLimits(parts: Parts, report: Report, secrets: ReadonlyMap<string, Secret>): void {
  const { ike, l2tp, ppp, edge, telemetry } = parts;
  if (ike !== undefined && ike.dpd.timeoutSeconds <= ike.dpd.intervalSeconds) {
    report(
      ['ike', 'dpd', 'timeoutSeconds'],
      'does not exceed intervalSeconds',
      'leave time for several probes',
    );
  }
  if (ike !== undefined && ike.halfOpenPerSourceMax > ike.halfOpenMax) {
    report(['ike', 'halfOpenPerSourceMax'], 'exceeds halfOpenMax', `the most is ${ike.halfOpenMax}`);
  }
  if (ike?.identity !== undefined && !/^[0-9A-Za-z:.-]+$/.test(ike.identity)) {
    report(
      ['ike', 'identity'],
      'is neither an address nor a domain name',
      'write 192.0.2.1 or vpn.example.org, or remove it',
    );
  }
  if (l2tp !== undefined && l2tp.retransmitCapMs < l2tp.retransmitMs) {
    report(['l2tp', 'retransmitCapMs'], 'is below retransmitMs', `the least is ${l2tp.retransmitMs}`);
  }
  if (l2tp !== undefined && l2tp.tunnelsPerSessionMax * l2tp.callsPerTunnelMax > CALLS_MAX) {
    report(
      ['l2tp', 'callsPerTunnelMax'],
      `makes more than ${CALLS_MAX} calls per session`,
      `with ${l2tp.tunnelsPerSessionMax} tunnels the most is ${Math.floor(CALLS_MAX / l2tp.tunnelsPerSessionMax)}`,
    );
  }
  if (l2tp?.hideAvps === true && !secrets.has('l2tp.tunnelSecret')) {
    report(
      ['l2tp', 'hideAvps'],
      'needs a tunnel secret (RFC 2661 §4.3)',
      'add l2tp.tunnelSecretFile, or remove it',
    );
  }
  if (ppp !== undefined && edge !== undefined && ppp.mru + OVERHEAD_MIN > edge.outerMtu) {
    report(['ppp', 'mru'], 'does not fit into edge.outerMtu', `the most is ${edge.outerMtu - OVERHEAD_MIN}`);
  }
  const metrics = telemetry?.prometheus === undefined ? undefined : splitAddressPort(telemetry.prometheus);
  if (metrics !== undefined && metrics.port + METRICS_PORTS - 1 > 65_535) {
    report(
      ['telemetry', 'prometheus'],
      'leaves no room for the other services',
      `the highest port is ${65_536 - METRICS_PORTS}`,
    );
  }
}
