import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concat } from '@culvert/wire';
import { type KeyOctets, keyObjectOf, octetsOf } from './secret.ts';
import { requireUsable } from './usable.ts';

export const AEAD_TAG_OCTETS = 16;
export const AEAD_NONCE_OCTETS = 12;

/**
 * AES-GCM with a 16-octet tag and a 12-octet nonce, by key length AES-128 or AES-256. The answer is the
 * ciphertext followed by the tag. A nonce must never repeat under a key: callers say how they ensure it.
 */
export function aeadSeal(key: KeyOctets, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array {
  const octets = octetsOf(key);
  const context = createCipheriv(cipherFor(octets, nonce), keyObjectOf(octets), nonce, {
    authTagLength: AEAD_TAG_OCTETS,
  });
  context.setAAD(aad);
  return concat(context.update(plain), context.final(), context.getAuthTag());
}

/**
 * The plaintext, or undefined when the tag does not verify. Node's `update` hands out plaintext before the
 * tag is checked and, without `authTagLength`, takes tags of four octets: neither can happen here.
 */
export function aeadOpen(
  key: KeyOctets,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const octets = octetsOf(key);
  const cipher = cipherFor(octets, nonce);
  if (sealed.length < AEAD_TAG_OCTETS) return undefined;
  const context = createDecipheriv(cipher, keyObjectOf(octets), nonce, { authTagLength: AEAD_TAG_OCTETS });
  context.setAAD(aad);
  context.setAuthTag(sealed.subarray(sealed.length - AEAD_TAG_OCTETS));
  const held = context.update(sealed.subarray(0, sealed.length - AEAD_TAG_OCTETS));
  try {
    return concat(held, context.final());
  } catch {
    held.fill(0);
    return undefined;
  }
}

/** A wrong length is our own fault, never a peer's, so it throws. */
function cipherFor(key: Uint8Array, nonce: Uint8Array): 'aes-128-gcm' | 'aes-256-gcm' {
  if (nonce.length !== AEAD_NONCE_OCTETS) throw new RangeError('AES-GCM nonce must have 12 octets');
  if (key.length === 32) {
    requireUsable('aes-gcm-256');
    return 'aes-256-gcm';
  }
  if (key.length !== 16) throw new RangeError('AES-GCM key must have 16 or 32 octets');
  requireUsable('aes-gcm-128');
  return 'aes-128-gcm';
}
