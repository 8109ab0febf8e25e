import type { PppSettings } from '@culvert/actors-ppp';
import type { Config } from '@culvert/config';
import { ipv4Octets, parseAddress } from '@culvert/wire/ip';
import { ESTABLISH_MS, RESTART_INITIAL_MS } from './limits.ts';

/** What the configuration says, as machines read it. One object for all links. */
export function settingsOf({ ppp, l2tp, pool }: Config): PppSettings {
  return {
    name: l2tp.hostName,
    mru: ppp.mru,
    pfcAcfc: ppp.pfcAcfc,
    methods: ppp.authentication,
    automaton: {
      restartMs: ppp.restartMs,
      restartInitialMs: Math.min(RESTART_INITIAL_MS, ppp.restartMs),
      maxConfigure: ppp.maxConfigure,
      maxTerminate: ppp.maxTerminate,
      maxFailure: ppp.maxFailure,
    },
    establishMs: ESTABLISH_MS,
    authenticateMs: ppp.authenticationTimeoutSeconds * 1_000,
    echo: { intervalMs: ppp.echo.intervalSeconds * 1_000, failures: ppp.echo.failures },
    dns: ppp.dns.map((server) => ipv4Octets(address(server)).slice()),
    dns6: ppp.dns6.map(address),
    families: pool.ipv6 === undefined ? [4] : [4, 6],
  };
}

/** The schema has checked it. */
function address(text: string): Uint8Array {
  const octets = parseAddress(text);
  if (!octets.ok) throw new Error(`invariant: ${text} was checked to be an address`);
  return octets.value;
}
