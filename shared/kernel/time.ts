/** Milliseconds since the Unix epoch, as stamped on a fact. The kernel has no clock of its own. */
export type Instant = number;

/** A length of time in milliseconds. */
export type DurationMs = number;
