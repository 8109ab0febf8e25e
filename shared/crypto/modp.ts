import { createPublicKey, getDiffieHellman, type KeyObject } from 'node:crypto';
import { concat, hex } from '@culvert/wire';

/** RFC 2409 §6.2 (2), RFC 3526 §2-§5 (5, 14, 15, 16). Generator 2 throughout. */
export type ModpGroup = 2 | 5 | 14 | 15 | 16;

const BITS: Readonly<Record<ModpGroup, number>> = { 2: 1024, 5: 1536, 14: 2048, 15: 3072, 16: 4096 };

/** RFC 2409 §6.2, written out: asking node:crypto for it costs a primality test of about 30 ms. */
const SECOND_OAKLEY_PRIME = `
  ffffffffffffffff c90fdaa22168c234 c4c6628b80dc1cd1 29024e088a67cc74
  020bbea63b139b22 514a08798e3404dd ef9519b3cd3a431b 302b0a6df25f1437
  4fe1356d6d51c245 e485b576625e7ec6 f44c42e9a637ed6b 0bff5cb6f406b7ed
  ee386bfb5a899fa5 ae9f24117c4b1fe6 49286651ece65381 ffffffffffffffff`;

const primes = new Map<ModpGroup, Uint8Array>();

export function modpPrime(group: ModpGroup): Uint8Array {
  const known = primes.get(group);
  if (known !== undefined) return known;
  const prime =
    group === 2 ? hex(SECOND_OAKLEY_PRIME) : Uint8Array.from(getDiffieHellman(modpName(group)).getPrime());
  primes.set(group, prime);
  return prime;
}

export function modpName(group: ModpGroup): string {
  return `modp${group}`;
}

export function modpOctets(group: ModpGroup): number {
  return BITS[group] / 8;
}

/**
 * RFC 6989 §2.1 and RFC 2631 §2.1.5 for safe primes: 2 <= y <= p-2. OpenSSL's own check passes values that
 * are not reduced, and other lengths than the modulus'. The comparison is of public values.
 */
export function modpInRange(group: ModpGroup, y: Uint8Array): boolean {
  const prime = modpPrime(group);
  const small = y.subarray(0, -1).every((octet) => octet === 0) && (y.at(-1) ?? 0) < 2;
  if (small) return false;
  for (let index = 0; index < prime.length; index += 1) {
    const difference = (y[index] ?? 0) - (prime[index] ?? 0);
    if (difference < 0) {
      // Below p in an octet before the last: at least 256 below. In the last: p-1 alone is excluded.
      return index < prime.length - 1 || difference < -1;
    }
    if (difference > 0) return false;
  }
  return false;
}

const DH_KEY_AGREEMENT = hex('06092a864886f70d010301');

/** SubjectPublicKeyInfo of PKCS #3 §9 around a checked public value, the only form node:crypto imports. */
export function modpPublicKey(group: ModpGroup, y: Uint8Array): KeyObject {
  const parameters = der(0x30, integer(modpPrime(group)), integer(Uint8Array.of(2)));
  const algorithm = der(0x30, DH_KEY_AGREEMENT, parameters);
  const spki = der(0x30, algorithm, der(0x03, Uint8Array.of(0), integer(y)));
  return createPublicKey({ key: asBuffer(spki), format: 'der', type: 'spki' });
}

/** The public value of a key of ours, left-padded to the modulus' length as RFC 2409 §5 requires. */
export function modpPublicValue(group: ModpGroup, key: KeyObject): Uint8Array {
  const spki = key.export({ type: 'spki', format: 'der' });
  const algorithm = element(spki, element(spki, 0).start);
  const bits = element(spki, algorithm.end);
  const value = element(spki, bits.start + 1);
  return leftPadded(stripped(spki.subarray(value.start, value.end)), modpOctets(group));
}

export function leftPadded(octets: Uint8Array, length: number): Uint8Array {
  if (octets.length > length) throw new RangeError('value is longer than its field');
  const padded = new Uint8Array(length);
  padded.set(octets, length - octets.length);
  return padded;
}

function stripped(octets: Uint8Array): Uint8Array {
  const first = octets.findIndex((octet) => octet !== 0);
  return first < 0 ? new Uint8Array() : octets.subarray(first);
}

/** X.690 §8.3: a positive INTEGER has a leading zero octet where its high bit is set. */
function integer(octets: Uint8Array): Uint8Array {
  const body = stripped(octets);
  return der(0x02, (body[0] ?? 0x80) >= 0x80 ? concat(Uint8Array.of(0), body) : body);
}

function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(...parts);
  if (body.length < 0x80) return concat(Uint8Array.of(tag, body.length), body);
  if (body.length < 0x100) return concat(Uint8Array.of(tag, 0x81, body.length), body);
  return concat(Uint8Array.of(tag, 0x82, body.length >>> 8, body.length & 0xff), body);
}

/** Content bounds of the element at `offset`; the octets are our own library's, never a peer's. */
function element(octets: Uint8Array, offset: number): { readonly start: number; readonly end: number } {
  const first = octets[offset + 1] ?? 0;
  const lengthOctets = first < 0x80 ? 0 : first & 0x7f;
  let length = first < 0x80 ? first : 0;
  for (let index = 0; index < lengthOctets; index += 1)
    length = length * 256 + (octets[offset + 2 + index] ?? 0);
  const start = offset + 2 + lengthOctets;
  return { start, end: start + length };
}

function asBuffer(octets: Uint8Array): Buffer {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
}
