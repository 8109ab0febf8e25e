/** Specification: RFC 3193 §2.1 and §4, RFC 2661 §8.1. */
export const L2TP_PORT = 1701;
export const IP_PROTOCOL_UDP = 17;
export const NONCE_OCTETS = 32;

/** Tuning: how long we wait for the third message before we rely on the peer's own traffic. */
export const THIRD_MESSAGE_MS = 30_000;
/** The initiator rekeys before its lifetime ends; ours ends a little later, so that the SAs overlap. */
export const LIFETIME_GRACE_MS = 30_000;
export const PURPOSE = { nonce: 1 } as const;
