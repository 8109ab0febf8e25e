/**
 * Set by the specification.
 */

/** RFC 2661 §4.4.3: the window of a peer that did not say. */
export const PEER_WINDOW_DEFAULT = 4;
/** RFC 2661 §4.4.3: this version of the protocol. */
export const PROTOCOL_VERSION = { version: 1, revision: 0 } as const;
/** RFC 2661 §5.7: how long a stopped tunnel must still acknowledge. */
export const RETRANSMISSION_CYCLE_MS = 31_000;
/** RFC 2661 §4.4.3, Framing Capabilities: both kinds. */
export const FRAMING_ANY = 3;

/**
 * Ours to choose.
 */

/** RFC 2661 §5.8 recommends these; `config.l2tp` may change them. */
export const DELIVERY_DEFAULTS = { retransmitMs: 1_000, retransmitCapMs: 8_000, retransmitMax: 5 } as const;
/** Messages that wait for the peer's acknowledgement; when it is full the peer is not answering. */
export const SEND_QUEUE_MAX = 64;
/** An acknowledgement waits this long for a message to ride on. */
export const ACK_DELAY_MS = 50;
/** From SCCRQ to SCCCN, and from ICRQ to ICCN. */
export const SETUP_MS = 30_000;
/** A tunnel without a call is stopped after this long (§7.6 leaves it to us). */
export const EMPTY_TUNNEL_MS = 60_000;
/** What a close in order waits for PPP, and then for the acknowledgement of StopCCN. */
export const CLOSE_STEP_MS = 3_000;
/** RFC 2661 §4.4.3 asks for at least one octet. */
export const CHALLENGE_OCTETS = 16;
/** RFC 2661 §4.4.1 recommends at least 16. */
export const RANDOM_VECTOR_OCTETS = 16;
/** The low bits of our Session IDs name the tunnel's place, so a session's tunnels never share one. */
export const SLOT_BITS = 3;
/** The bound of every policy: one place per tunnel of a session. */
export const TUNNELS_MAX = 1 << SLOT_BITS;

/**
 * The bounds of every policy. One step may deliver at most 64 events among a session's machines, and a
 * peer can make a whole window of buffered requests and every call count in the same step: the worst such
 * step has 1 + 4 * 7 (requests turned away) + 3 * 8 (calls told that the tunnel is gone) of them.
 */
export const CALLS_PER_SESSION_MAX = 8;
export const RECEIVE_WINDOW_MAX = 8;
