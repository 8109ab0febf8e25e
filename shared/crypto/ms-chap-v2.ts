import { concat } from '@culvert/wire';
import { desEncrypt } from './des.ts';
import { md4 } from './md4.ts';
import { digest } from './prf.ts';
import { constantTimeEqual, type KeyOctets, octetsOf } from './secret.ts';

export const MS_CHAP_CHALLENGE_OCTETS = 16;
export const NT_RESPONSE_OCTETS = 24;
export const NT_HASH_OCTETS = 16;

/** RFC 2759 §4, with the two challenges and the name that its responses are computed over. */
export interface MsChapExchange {
  readonly authenticatorChallenge: Uint8Array;
  readonly peerChallenge: Uint8Array;
  /** The user name without any `DOMAIN\` prefix (RFC 2759 §8.2), octets as on the wire. */
  readonly userName: Uint8Array;
}

/** RFC 2759 §8.2 ChallengeHash: eight octets. */
export function challengeHash(exchange: MsChapExchange): Uint8Array {
  return digest('sha1', exchange.peerChallenge, exchange.authenticatorChallenge, exchange.userName).slice(
    0,
    8,
  );
}

/** RFC 2759 §8.3 NtPasswordHash: MD4 of the password in UTF-16LE. */
export function ntPasswordHash(password: string): Uint8Array {
  const unicode = Uint8Array.from(Buffer.from(password, 'utf16le'));
  const hash = md4(unicode);
  unicode.fill(0);
  return hash;
}

/** RFC 2759 §8.4 HashNtPasswordHash. */
export function hashNtPasswordHash(ntHash: KeyOctets): Uint8Array {
  return md4(octetsOf(ntHash));
}

/** RFC 2759 §8.5 ChallengeResponse: three DES encryptions under a hash padded to 21 octets. */
export function challengeResponse(challenge: Uint8Array, ntHash: KeyOctets): Uint8Array {
  const padded = new Uint8Array(21);
  padded.set(octetsOf(ntHash));
  const blocks = [0, 7, 14].map((offset) => desEncrypt(challenge, padded.subarray(offset, offset + 7)));
  padded.fill(0);
  return concat(...blocks);
}

/** RFC 2759 §8.1 GenerateNTResponse, for the peer; the authenticator expects the same octets. */
export function ntResponse(exchange: MsChapExchange, ntHash: KeyOctets): Uint8Array {
  return challengeResponse(challengeHash(exchange), ntHash);
}

/** The authenticator's check of a peer's NT-Response. */
export function verifyNtResponse(exchange: MsChapExchange, ntHash: KeyOctets, response: Uint8Array): boolean {
  return constantTimeEqual(ntResponse(exchange, ntHash), response);
}

const MAGIC1 = new TextEncoder().encode('Magic server to client signing constant');
const MAGIC2 = new TextEncoder().encode('Pad to make it do more than one iteration');

/** RFC 2759 §8.7 GenerateAuthenticatorResponse: `S=` and 40 upper-case hexadecimal digits. */
export function authenticatorResponse(
  exchange: MsChapExchange,
  ntHash: KeyOctets,
  response: Uint8Array,
): string {
  const inner = digest('sha1', hashNtPasswordHash(ntHash), response, MAGIC1);
  const outer = digest('sha1', inner, challengeHash(exchange), MAGIC2);
  return `S=${Buffer.from(outer).toString('hex').toUpperCase()}`;
}

/** RFC 2759 §8.8 CheckAuthenticatorResponse, for the peer. */
export function verifyAuthenticatorResponse(
  exchange: MsChapExchange,
  ntHash: KeyOctets,
  response: Uint8Array,
  received: string,
): boolean {
  const encoder = new TextEncoder();
  const expected = authenticatorResponse(exchange, ntHash, response);
  return constantTimeEqual(encoder.encode(expected), encoder.encode(received));
}
