/** None of these comes from a specification; they bound what a peer can make us do or keep. */

/** Failed logins of one user name: five are free, one is forgiven every two minutes. */
export const USER_BACKOFF = {
  free: 5,
  forgiveMs: 120_000,
  lockMs: 10_000,
  lockMaxMs: 60_000,
  keysMax: 10_000,
} as const;

/**
 * Failed logins of one source (an IPv4 address or an IPv6 /64), which may be a NAT in front of many users.
 * Longer locks than for a name: locking a name out also locks out its owner.
 */
export const SOURCE_BACKOFF = {
  free: 20,
  forgiveMs: 30_000,
  lockMs: 10_000,
  lockMaxMs: 600_000,
  keysMax: 10_000,
} as const;

/** argon2id evaluations under way at once; each holds 19 MiB. */
export const PASSWORD_CHECKS_MAX = 16;
/** Further ones that wait for a place. */
export const PASSWORD_CHECKS_WAITING_MAX = 256;

/** Logins that wait until one of the same user, or from the same source, has been judged. */
export const LOGINS_WAITING_MAX = 1_024;

/** A released address goes to another user only after this long: stray traffic of the old session dies out. */
export const QUARANTINE_MS = 60_000;
/** A lease whose session has no record in ppp for this long belongs to nobody. */
export const ORPHAN_MS = 120_000;
export const COLLECT_INTERVAL_MS = 15_000;
/** Deletions and look-ups of one collection, so that it never floods the store. */
export const COLLECT_MAX = 256;
/** Addresses tried for one lease that turn out to be taken by another instance. */
export const CLAIM_CONFLICTS_MAX = 64;
/** Wait before the buckets are asked for again. */
export const BUCKET_RETRY_MS = 1_000;
