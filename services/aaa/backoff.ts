import type { DurationMs, Instant } from '@culvert/kernel';

export interface BackoffLimits {
  /** Failures before the first lock. */
  readonly free: number;
  /** One failure is forgiven per this time. */
  readonly forgiveMs: DurationMs;
  /** The first lock; each further one is twice as long, up to `lockMaxMs`. */
  readonly lockMs: DurationMs;
  readonly lockMaxMs: DurationMs;
  /** Names remembered; the one not seen for longest is forgotten first. */
  readonly keysMax: number;
}

interface Trouble {
  readonly level: number;
  readonly at: Instant;
  readonly locks: number;
  readonly lockedUntil: Instant;
  /** Attempts admitted and not yet judged: parallel guesses count before they are answered. */
  readonly pending: number;
}

const NONE: Trouble = { level: 0, at: 0, locks: 0, lockedUntil: 0, pending: 0 };

/** Failed attempts per key in bounded memory; a leaky bucket that locks when it overflows. */
export interface Backoff {
  /** `locked`: refuse. `wait`: as many guesses are under way as the key has left; one must end first. */
  admits(key: string, now: Instant): 'now' | 'wait' | 'locked';
  begin(key: string, now: Instant): void;
  failed(key: string, now: Instant): void;
  /** `forgive` clears what was held against the key. */
  succeeded(key: string, now: Instant, forgive: boolean): void;
  readonly size: number;
}

export function backoff(limits: BackoffLimits): Backoff {
  const troubles = new Map<string, Trouble>();
  const drained = (key: string, now: Instant): Trouble => {
    const known = troubles.get(key) ?? NONE;
    const forgiven = Math.floor(Math.max(0, now - known.at) / limits.forgiveMs);
    if (forgiven === 0) return known;
    const level = Math.max(0, known.level - forgiven);
    return {
      ...known,
      level,
      at: known.at + forgiven * limits.forgiveMs,
      locks: level === 0 ? 0 : known.locks,
    };
  };
  const keep = (key: string, trouble: Trouble) => {
    troubles.delete(key);
    if (trouble.level === 0 && trouble.pending === 0) return;
    troubles.set(key, trouble);
    const [oldest] = troubles.keys();
    if (troubles.size > limits.keysMax && oldest !== undefined) troubles.delete(oldest);
  };
  const ended = (trouble: Trouble) => Math.max(0, trouble.pending - 1);
  return {
    admits(key, now) {
      const { lockedUntil, level, pending } = drained(key, now);
      if (now < lockedUntil) return 'locked';
      return pending < Math.max(1, limits.free - level) ? 'now' : 'wait';
    },
    begin(key, now) {
      const trouble = drained(key, now);
      keep(key, { ...trouble, at: trouble.level === 0 ? now : trouble.at, pending: trouble.pending + 1 });
    },
    failed(key, now) {
      const trouble = drained(key, now);
      const level = trouble.level + 1;
      const begun = {
        ...trouble,
        at: trouble.level === 0 ? now : trouble.at,
        level,
        pending: ended(trouble),
      };
      if (level < limits.free) return keep(key, begun);
      const lockMs = Math.min(limits.lockMaxMs, limits.lockMs * 2 ** Math.min(trouble.locks, 16));
      keep(key, { ...begun, locks: trouble.locks + 1, lockedUntil: now + lockMs });
    },
    succeeded(key, now, forgive) {
      const trouble = drained(key, now);
      keep(key, forgive ? { ...NONE, pending: ended(trouble) } : { ...trouble, pending: ended(trouble) });
    },
    get size() {
      return troubles.size;
    },
  };
}
