import type { After } from '@culvert/contracts';
import type { Instant } from '@culvert/kernel';

/** Packets that must not overtake an entry wait at most so long, and at most so many. */
export const GATE_WAIT_MS = 2_000;
export const GATE_PACKETS_MAX = 1_024;

/**
 * Holds packets until the record that they depend on was applied. A bucket's changes arrive in the order
 * of their revisions, so one number per bucket says what has been applied.
 */
export interface Gate<T> {
  /** False: there is no room, the packet is lost. */
  pass(packet: T, after: After | undefined, at: Instant): boolean;
  applied(bucket: string, revision: number): void;
  /** Gives up on what has waited too long; answers how many. */
  expire(at: Instant): number;
  readonly waiting: number;
}

export function createGate<T>(release: (packet: T) => void): Gate<T> {
  const highest = new Map<string, number>();
  let held: { readonly packet: T; readonly after: After; readonly since: Instant }[] = [];
  const reached = (after: After) => (highest.get(after.bucket) ?? 0) >= after.revision;
  return {
    pass(packet, after, at) {
      if (after === undefined || reached(after)) {
        release(packet);
        return true;
      }
      if (held.length >= GATE_PACKETS_MAX) return false;
      held.push({ packet, after, since: at });
      return true;
    },
    applied(bucket, revision) {
      if (revision <= (highest.get(bucket) ?? 0)) return;
      highest.set(bucket, revision);
      if (held.length === 0) return;
      const free = held.filter((one) => reached(one.after));
      held = held.filter((one) => !reached(one.after));
      for (const one of free) release(one.packet);
    },
    expire(at) {
      const before = held.length;
      held = held.filter((one) => at - one.since <= GATE_WAIT_MS);
      return before - held.length;
    },
    get waiting() {
      return held.length;
    },
  };
}
