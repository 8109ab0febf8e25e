import type { Telemetry } from '@culvert/telemetry';
import { accountIndex, type Counted, type SessionReport } from '../pipeline/index.ts';

const CLASSES = [0, 1, 2, 3];

/** Every kind of user packet that is counted apart. */
export const KINDS: readonly Counted[] = (['from-peer', 'to-peer'] as const).flatMap((direction) =>
  ([4, 6] as const).flatMap((family) => CLASSES.map((number) => ({ direction, family, class: number }))),
);

/** Sums sessions' running totals into counters that only grow, by direction, family and class. */
export interface Traffic {
  heard(reports: readonly SessionReport[]): void;
  /** Of sessions that are no more nothing is remembered. */
  keep(known: (session: string) => boolean): void;
}

export function createTraffic(telemetry: Telemetry): Traffic {
  const last = new Map<string, readonly number[]>();
  const count = (accounting: readonly number[], before: readonly number[] | undefined) => {
    for (const kind of KINDS) {
      const at = accountIndex(kind);
      const attributes = {
        direction: kind.direction,
        family: `ipv${kind.family}`,
        class: String(kind.class),
      };
      for (const [offset, name] of ['edge.user_packets', 'edge.user_octets'].entries()) {
        const by = (accounting[at + offset] ?? 0) - (before?.[at + offset] ?? 0);
        if (by > 0) telemetry.count(name, attributes, by);
      }
    }
  };
  return {
    heard(reports) {
      for (const { session, accounting } of reports) {
        count(accounting, last.get(session));
        last.set(session, [...accounting]);
      }
    },
    keep(known) {
      for (const session of last.keys()) if (!known(session)) last.delete(session);
    },
  };
}

/** For a person: what is not zero, by name. Class 0 is everybody's and has no name of its own. */
export function trafficFacts(accounting: readonly number[]): Readonly<Record<string, number>> {
  const facts: Record<string, number> = {};
  for (const kind of KINDS) {
    const at = accountIndex(kind);
    const way = kind.direction === 'from-peer' ? 'In' : 'Out';
    const suffix = `${way}Ipv${kind.family}${kind.class === 0 ? '' : `Class${kind.class}`}`;
    if ((accounting[at] ?? 0) === 0) continue;
    facts[`packets${suffix}`] = accounting[at] ?? 0;
    facts[`octets${suffix}`] = accounting[at + 1] ?? 0;
  }
  return facts;
}
