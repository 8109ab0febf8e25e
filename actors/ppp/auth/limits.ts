/** RFC 1994 §4.1 leaves the Challenge's length to us; RFC 2759 §3 has 16. */
export const CHALLENGE_OCTETS = 16;

/** Challenges without an answer before the peer is given up, and the time between them. */
export const CHALLENGES_MAX = 10;
export const CHALLENGE_MS = 3_000;
export const CHALLENGE_MS_MAX = 6_000;

/** A Success is repeated until the network phase shows that it was heard. */
export const VERDICTS_MAX = 5;
export const VERDICT_MS = 2_000;

/** RFC 2865 §5.1: what fits a RADIUS attribute. */
export const USER_OCTETS_MAX = 253;
