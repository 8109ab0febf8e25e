export const LCP_HEADER_OCTETS = 4;

/** Below RFC 791's smallest datagram an MRU is of no use. */
export const MRU_MIN = 576;

/** RFC 1661 §6.4 leaves the number of collisions that prove a loop to us. */
export const LOOPS_MAX = 4;

/** After this many refusals of the same option we do without it. */
export const REFUSALS_MAX = 3;
