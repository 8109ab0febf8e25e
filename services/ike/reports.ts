import type { Report } from '@culvert/actors-ike';
import type { Clock, Performing } from '@culvert/host';
import type { Telemetry } from '@culvert/telemetry';
import type { IkeVault } from './vault.ts';

/** What an operator has to act on stands out. */
const LEVELS: Readonly<Record<Report['what'], 'debug' | 'info' | 'warn'>> = {
  'negotiation refused': 'warn',
  'PSK mismatch likely': 'warn',
  'key exchange refused': 'warn',
  'half-open expired': 'debug',
  'isakmp sa established': 'info',
  'isakmp sa deleted': 'info',
  'isakmp sa expired': 'info',
  'peer silent': 'warn',
  'ipsec sa established': 'info',
  'ipsec sa deleted': 'info',
  'ipsec sa expired': 'info',
  'session ended': 'info',
};

/** What anybody can make us say, without a key (reliability S-8): so many lines of each in a second. */
const UNAUTHENTICATED: ReadonlySet<Report['what']> = new Set([
  'negotiation refused',
  'PSK mismatch likely',
  'key exchange refused',
  'half-open expired',
]);
const LINES_PER_SECOND = 10;
const SECOND_MS = 1000;

interface Spoken {
  since: number;
  lines: number;
  unsaid: number;
}

export type WriteReport = (report: Report, context: Pick<Performing<IkeVault>, 'session' | 'trace'>) => void;

/** One line and one count. The fields come from registries and numbers, never from raw octets of the peer. */
export function reportWriter(telemetry: Telemetry, clock: Clock): WriteReport {
  const spoken = new Map<Report['what'], Spoken>();
  /** How many lines were left out since the last one; undefined when this one is, too. */
  const unsaid = (what: Report['what']): number | undefined => {
    if (!UNAUTHENTICATED.has(what)) return 0;
    const now = clock.now();
    const one = spoken.get(what) ?? { since: now, lines: 0, unsaid: 0 };
    spoken.set(what, one);
    if (now - one.since >= SECOND_MS || now < one.since) Object.assign(one, { since: now, lines: 0 });
    one.lines += 1;
    if (one.lines > LINES_PER_SECOND) {
      one.unsaid += 1;
      return undefined;
    }
    const left = one.unsaid;
    one.unsaid = 0;
    return left;
  };
  return ({ what, fields }, { session, trace }) => {
    telemetry.count('culvert.ike.reports', { what: what.toLowerCase().replaceAll(' ', '-') });
    const before = unsaid(what);
    if (before === undefined) return;
    const traceId = trace.split('-')[1] ?? '';
    const more = before === 0 ? {} : { unsaid: before };
    telemetry.log[LEVELS[what]]({ session, traceId, ...fields, ...more }, what);
  };
}
