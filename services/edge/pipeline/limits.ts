import type { Rate } from './token-bucket.ts';

/** Bounds of the engine. None is a specification's; each says what overflows. */

/** Packets of an SA that wait for reserved sequence numbers; the rest is dropped. */
export const STALLED_PACKETS_MAX = 64;
export const STALLED_MS_MAX = 2_000;

/** IKE from one source, an IPv4 address or an IPv6 /64: a NAT with a floor of clients behind it. */
export const IKE_SOURCE_RATE: Rate = { perSecond: 2_000, burst: 4_000 };
/** The same, first messages only: each may cost a Diffie-Hellman computation. */
export const IKE_FIRST_SOURCE_RATE: Rate = { perSecond: 250, burst: 500 };
/** First messages of all sources together, for sources can be forged. */
export const IKE_FIRST_RATE: Rate = { perSecond: 1_000, burst: 2_000 };
/** Sources remembered; the one seen first is forgotten first. */
export const IKE_SOURCES_MAX = 4_096;

/** A session's control messages that go to the l2tp service. */
export const L2TP_CONTROL_RATE: Rate = { perSecond: 200, burst: 400 };
/** A call's frames that go to the ppp service. */
export const PPP_CONTROL_RATE: Rate = { perSecond: 100, burst: 200 };
/** A call's link-local IPv6 packets (neighbour and router discovery) that go to the ppp service. */
export const LINK_LOCAL_RATE: Rate = { perSecond: 10, burst: 20 };
/** ICMP answers of the engine, per session. */
export const ICMP_RATE: Rate = { perSecond: 10, burst: 20 };
/** Moves of a session's outer endpoint. */
export const MOVE_RATE: Rate = { perSecond: 1, burst: 4 };

export const SAS_PER_SESSION_MAX = 64;
export const CALLS_PER_SESSION_MAX = 64;

/** RFC 2474 §4.2.2.2: DSCP CS6, for L2TP and PPP control messages of ours. */
export const CONTROL_TOS = 48 << 2;

/** Of one side of a tunnel-mode SA. */
export const SELECTORS_MAX = 16;
export const ROUTES_MAX = 64;
export const RULES_MAX = 256;
/** A shorter burst would never let a full packet through. */
export const BURST_OCTETS_MIN = 1_500;
/** Accounts that a policy's rules tell apart. */
export const CLASSES = 4;

/** One reservation of outbound sequence numbers. */
export const SEQUENCE_BLOCK = 2 ** 24;
/** RFC 4303 §3.3.3: the counter must not cycle; exclusive. */
export const SEQUENCE_END = 2 ** 32;
/** With extended numbers: as far as a number counts; exclusive. */
export const EXTENDED_SEQUENCE_END = Number.MAX_SAFE_INTEGER;

/** Headers without options: what an MSS leaves out of an MTU (RFC 6691 §2). */
export const IPV4_TCP_OCTETS = 40;
export const IPV6_TCP_OCTETS = 60;
