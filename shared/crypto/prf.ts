import { createHash, createHmac } from 'node:crypto';
import { type KeyOctets, keyObjectOf, octetsOf } from './secret.ts';
import { requireUsable } from './usable.ts';

/**
 * The hash algorithms of RFC 2409 and RFC 4868 that this gateway negotiates. MD5 is not among them. In
 * IKEv1 the negotiated hash gives both the plain hash and, as HMAC, the pseudo-random function.
 */
export type HashName = 'sha1' | 'sha2-256' | 'sha2-384' | 'sha2-512';

const NODE_NAME: Readonly<Record<HashName, string>> = {
  sha1: 'sha1',
  'sha2-256': 'sha256',
  'sha2-384': 'sha384',
  'sha2-512': 'sha512',
};

const OCTETS: Readonly<Record<HashName, number>> = {
  sha1: 20,
  'sha2-256': 32,
  'sha2-384': 48,
  'sha2-512': 64,
};

/** Output length of the hash and of its HMAC, in octets. */
export function hashOctets(hash: HashName): number {
  return OCTETS[hash];
}

export function digest(hash: HashName, ...parts: readonly KeyOctets[]): Uint8Array {
  requireUsable(hash);
  const context = createHash(NODE_NAME[hash]);
  for (const part of parts) context.update(octetsOf(part));
  return plain(context.digest());
}

/** RFC 2104 HMAC over the concatenation of `parts`, untruncated. */
export function prf(hash: HashName, key: KeyOctets, ...parts: readonly KeyOctets[]): Uint8Array {
  requireUsable(`hmac-${hash}`);
  const context = createHmac(NODE_NAME[hash], keyObjectOf(key));
  for (const part of parts) context.update(octetsOf(part));
  return plain(context.digest());
}

/** Results are Uint8Array proper, so that they compare and serialise like all octets here. */
function plain(octets: Uint8Array): Uint8Array {
  return new Uint8Array(octets.buffer, octets.byteOffset, octets.byteLength);
}
