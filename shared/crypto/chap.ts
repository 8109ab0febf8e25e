import { md5 } from './md5.ts';
import { constantTimeEqual, type KeyOctets } from './secret.ts';

export const CHAP_RESPONSE_OCTETS = 16;

/** RFC 1994 §4.1 with MD5 (algorithm 5): MD5(Identifier | secret | Challenge). */
export function chapResponse(identifier: number, secret: KeyOctets, challenge: Uint8Array): Uint8Array {
  return md5(Uint8Array.of(identifier), secret, challenge);
}

export function verifyChapResponse(
  identifier: number,
  secret: KeyOctets,
  challenge: Uint8Array,
  response: Uint8Array,
): boolean {
  return constantTimeEqual(chapResponse(identifier, secret, challenge), response);
}
