/**
 * Authentication phases that may follow each other without a network protocol Opened: a peer that begins
 * LCP again and again has neither more guesses nor more time than this many phases give it.
 */
export const AUTHENTICATIONS_MAX = 5;

/** From authentication to the first network protocol Opened. */
export const NETWORK_MS = 30_000;

/** Links of one session: RFC 2661 sessions of its tunnels. */
export const LINKS_MAX = 16;

/** Windows sends three Identifications (RFC 1570 §1.1). */
export const IDENTIFICATIONS_MAX = 4;
export const IDENTIFICATION_CHARACTERS_MAX = 64;

/** MTU of IPv4 and IPv6 towards a peer that asked for less: RFC 791, RFC 8200 §5. */
export const IPV6_MTU_MIN = 1280;
