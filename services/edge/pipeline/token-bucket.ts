import type { Instant } from '@culvert/kernel';

/** How many events, or octets, may pass: `burst` at once, then `perSecond`. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Plain state, changed in place: one lives in every session. */
export interface TokenBucket {
  tokens: number;
  filledAt: Instant;
}

export function fullBucket(rate: Rate, at: Instant): TokenBucket {
  return { tokens: rate.burst, filledAt: at };
}

/** Takes so many tokens if they are there, else none. A clock that goes back fills nothing. */
export function take(bucket: TokenBucket, rate: Rate, at: Instant, amount = 1): boolean {
  const passed = Math.max(0, at - bucket.filledAt);
  bucket.tokens = Math.min(rate.burst, bucket.tokens + (passed * rate.perSecond) / 1000);
  bucket.filledAt = at;
  if (bucket.tokens < amount) return false;
  bucket.tokens -= amount;
  return true;
}
