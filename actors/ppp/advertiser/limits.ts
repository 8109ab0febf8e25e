/** RFC 4861 §10: MAX_INITIAL_RTR_ADVERTISEMENTS and MIN_DELAY_BETWEEN_RAS. */
export const INITIAL_ADVERTISEMENTS = 3;
export const MIN_DELAY_BETWEEN_RAS_MS = 3_000;

/** RFC 4861 §6.2.1: MaxRtrAdvInterval's default, and MinRtrAdvInterval as a third of it. */
export const INTERVAL_MAX_MS = 600_000;
export const INTERVAL_MIN_MS = 198_000;

/** AdvDefaultLifetime, and RFC 8106 §5.1 for name servers: three times MaxRtrAdvInterval. */
export const LIFETIME_SECONDS = 1_800;
export const CUR_HOP_LIMIT = 64;

/** The prefix is the session's while it lives; a day outlasts any silence in which the session survives. */
export const VALID_SECONDS = 86_400;
export const PREFERRED_SECONDS = 14_400;
