import { shardOfHex, subjects } from '@culvert/contracts';
import type { Runtime } from '@culvert/runtime';
import { type EngineEvent, textFlow } from '../pipeline/index.ts';
import { createCounting } from './counting.ts';
import type { Directory } from './directory.ts';
import type { Engines } from './engines.ts';
import { createIkeFront } from './ike-front.ts';
import type { PlaneReport } from './plane.ts';
import type { Reservations } from './reservations.ts';
import { createTraffic } from './traffic.ts';

/** What the plane has to say: control packets to the bus, the rest to directory, log and counters. */
export function createReporter(
  runtime: Runtime,
  directory: Directory,
  reservations: Reservations,
  engines: Engines,
): (report: PlaneReport) => void {
  const { bus, telemetry } = runtime;
  const ikeIn = createIkeFront(runtime, directory);
  const count = createCounting(telemetry);
  const traffic = createTraffic(telemetry);
  return (report) => {
    switch (report.type) {
      case 'ike':
        ikeIn(report.packet);
        break;
      case 'l2tp': {
        const { packet, trace } = report;
        bus.publish(subjects.l2tp.packet(shardOfHex(packet.session)), packet, { trace });
        break;
      }
      case 'ppp': {
        const { packet, trace } = report;
        bus.publish(subjects.ppp.packet(shardOfHex(packet.session)), packet, { trace });
        break;
      }
      case 'event':
        happened(runtime, directory, reservations, report.event);
        break;
      case 'sessions':
        directory.reported(report.reports);
        traffic.heard(report.reports);
        traffic.keep((session) => directory.has(session));
        break;
      case 'counters':
        count(report);
        engines.heard(report);
        break;
      case 'started':
        engines.started(report);
        telemetry.log.info({ engine: report.engine, cipher: report.backend }, 'a packet engine is running');
        break;
      case 'lost':
        telemetry.count('edge.workers_lost', {});
        telemetry.log.error(
          { engine: report.engine, why: report.why },
          'a packet worker has died and is replaced',
        );
        break;
      case 'backlog':
        telemetry.count('edge.io', { kind: 'backlogFull' }, report.dropped);
        break;
      case 'refused':
        telemetry.count('edge.refused_commands', { command: report.command });
        telemetry.log.error(
          { command: report.command, why: report.why },
          'a command to the data plane was refused',
        );
        break;
    }
  };
}

function happened(
  runtime: Runtime,
  directory: Directory,
  reservations: Reservations,
  event: EngineEvent,
): void {
  const { log } = runtime.telemetry;
  if (event.type === 'sequence-wanted') {
    const sa = directory.served(event);
    if (sa !== undefined) reservations.want(sa);
  } else if (event.type === 'endpoint-moved') {
    const { session, trace } = event;
    const [from, to] = [textFlow(event.from).remote, textFlow(event.to).remote];
    log.info({ session, trace, from, to }, 'the client has moved to another address or port');
  } else if (event.type === 'icv-truncated') {
    const { session, trace, inboundSpi } = event;
    log.warn(
      { session, trace, inboundSpi },
      'the client truncates HMAC-SHA-256 to 96 bits, as old systems do',
    );
  } else log.error({ session: event.session, why: event.why }, 'a forwarding entry was refused');
}
