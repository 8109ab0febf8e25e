import { be32 } from '@culvert/wire';
import type { Cookies } from './isakmp-keys.ts';
import { type HashName, prf } from './prf.ts';

/** What HASH_I and HASH_R are taken over (RFC 2409 §5), octets as they stood on the wire. */
export interface MainModeTranscript {
  readonly hash: HashName;
  readonly skeyid: Uint8Array;
  readonly publicI: Uint8Array;
  readonly publicR: Uint8Array;
  readonly cookies: Cookies;
  /** SAi_b: the body of the initiator's SA payload, without its generic header. */
  readonly saBody: Uint8Array;
}

/** `idBody` is IDii_b: the body of the initiator's ID payload, without its generic header. */
export function hashI(transcript: MainModeTranscript, idBody: Uint8Array): Uint8Array {
  const { hash, skeyid, publicI, publicR, cookies, saBody } = transcript;
  return prf(hash, skeyid, publicI, publicR, cookies.initiator, cookies.responder, saBody, idBody);
}

/** `idBody` is IDir_b. */
export function hashR(transcript: MainModeTranscript, idBody: Uint8Array): Uint8Array {
  const { hash, skeyid, publicI, publicR, cookies, saBody } = transcript;
  return prf(hash, skeyid, publicR, publicI, cookies.responder, cookies.initiator, saBody, idBody);
}

/**
 * RFC 2409 §5.5: HASH(1) = prf(SKEYID_a, M-ID | all that follows the HASH payload). `rest` includes the
 * generic headers and ends before any cipher padding.
 */
export function hash1(hash: HashName, skeyidA: Uint8Array, messageId: number, rest: Uint8Array): Uint8Array {
  return prf(hash, skeyidA, be32(messageId), rest);
}

/** RFC 2409 §5.7: of an Informational exchange; the same form as HASH(1). */
export const informationalHash = hash1;

/** RFC 2409 §5.5: HASH(2) = prf(SKEYID_a, M-ID | Ni_b | rest). */
export function hash2(
  hash: HashName,
  skeyidA: Uint8Array,
  messageId: number,
  nonceI: Uint8Array,
  rest: Uint8Array,
): Uint8Array {
  return prf(hash, skeyidA, be32(messageId), nonceI, rest);
}

/** RFC 2409 §5.5: HASH(3) = prf(SKEYID_a, 0 | M-ID | Ni_b | Nr_b). */
export function hash3(
  hash: HashName,
  skeyidA: Uint8Array,
  messageId: number,
  nonceI: Uint8Array,
  nonceR: Uint8Array,
): Uint8Array {
  return prf(hash, skeyidA, Uint8Array.of(0), be32(messageId), nonceI, nonceR);
}
