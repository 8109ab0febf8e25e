/** Specification: RFC 2409 §5 bounds a nonce to 8..256 octets; 32 match the strongest PRF in use. */
export const NONCE_OCTETS = 32;
export const MAIN_MODE_MESSAGE_ID = 0;

/** Tuning: what we keep of an unauthenticated peer (reliability S-4), and how many of its names we keep. */
export const SA_BODY_OCTETS_MAX = 8192;
export const VENDORS_MAX = 16;
/** Purposes of exposed octets within one step (kernel/entropy). */
export const PURPOSE = { nonce: 1, messageId: 2 } as const;
