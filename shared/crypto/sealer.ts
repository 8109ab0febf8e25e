import { concat } from '@culvert/wire';
import { AEAD_NONCE_OCTETS, AEAD_TAG_OCTETS, aeadOpen, aeadSeal } from './aead.ts';
import type { ClusterKey } from './cluster-key.ts';
import { hkdf } from './hkdf.ts';
import { prf } from './prf.ts';
import { secretRandom } from './random.ts';
import type { Secret } from './secret.ts';
import { requireUsable } from './usable.ts';

const FORMAT = 1;
const KEY_ID_OCTETS = 4;
const SALT_OCTETS = 16;
const HEADER_OCTETS = 1 + KEY_ID_OCTETS + SALT_OCTETS + AEAD_NONCE_OCTETS;
const SUBKEYS_MAX = 64;

const text = new TextEncoder();

/** What the host's Sealer port asks for. */
export interface OctetSealer {
  seal(place: string, plain: Uint8Array): Uint8Array;
  open(place: string, sealed: Uint8Array): Uint8Array;
}

/** The octets were not sealed for this place under this cluster's key. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

/**
 * A place in the form the sealer keys by: `bucket/purpose/...`. Each bucket and purpose has a subkey of
 * its own, and the whole place is authenticated, so that nothing sealed can be moved elsewhere.
 */
export function placeOf(
  bucket: string,
  purpose: 'state' | 'forward' | 'password' | 'user',
  ...rest: readonly string[]
): string {
  return [bucket, purpose, ...rest].join('/');
}

/** Where a PAP password is sealed by ppp for aaa; bound to the session it was sent in. */
export function papPasswordPlace(session: string): string {
  return placeOf('culvert_ppp', 'password', session);
}

/**
 * Sealed form: version (1) | key id (4) | salt (16) | nonce (12) | ciphertext | tag (16), AES-256-GCM.
 * Salt and nonce are random and the message key is derived from the salt, so that the number of records
 * under one cluster key has no practical bound (a random 12-octet nonce alone allows 2^32).
 */
export function createSealer(key: ClusterKey): OctetSealer {
  requireUsable('hkdf-sha2-256');
  const current = ring(key.current);
  const rings = [current, ...key.earlier.map(ring)];
  return {
    seal(place, plain) {
      const salt = secretRandom(SALT_OCTETS);
      const nonce = secretRandom(AEAD_NONCE_OCTETS);
      const header = concat(Uint8Array.of(FORMAT), current.id, salt, nonce);
      return concat(header, aeadSeal(current.messageKey(place, salt), nonce, text.encode(place), plain));
    },
    open(place, sealed) {
      if (sealed.length < HEADER_OCTETS + AEAD_TAG_OCTETS || sealed[0] !== FORMAT)
        throw new SealBroken('not a sealed record');
      const id = sealed.subarray(1, 1 + KEY_ID_OCTETS);
      const salt = sealed.subarray(1 + KEY_ID_OCTETS, 1 + KEY_ID_OCTETS + SALT_OCTETS);
      const nonce = sealed.subarray(HEADER_OCTETS - AEAD_NONCE_OCTETS, HEADER_OCTETS);
      const found = rings.find((candidate) => candidate.id.every((octet, index) => octet === id[index]));
      if (found === undefined) throw new SealBroken('sealed under a key that is not in the key file');
      const body = sealed.subarray(HEADER_OCTETS);
      const plain = aeadOpen(found.messageKey(place, salt), nonce, text.encode(place), body);
      if (plain === undefined) throw new SealBroken('sealed for another place, or altered');
      return plain;
    },
  };
}

interface KeyRing {
  readonly id: Uint8Array;
  messageKey(place: string, salt: Uint8Array): Uint8Array;
}

function ring(key: Secret): KeyRing {
  const root = key.expose();
  const subkeys = new Map<string, Uint8Array>();
  const subkey = (purpose: string): Uint8Array => {
    const known = subkeys.get(purpose);
    if (known !== undefined) return known;
    const made = hkdf(root, `culvert seal ${purpose}`, 32);
    // Places come from our own code; the bound only guards against a caller that keys by session.
    if (subkeys.size >= SUBKEYS_MAX) subkeys.clear();
    subkeys.set(purpose, made);
    return made;
  };
  return {
    id: hkdf(root, 'culvert seal key id', KEY_ID_OCTETS),
    messageKey: (place, salt) => prf('sha2-256', subkey(purposeOf(place)), salt),
  };
}

/** The first two parts: bucket and purpose. */
function purposeOf(place: string): string {
  return place.split('/', 2).join('/');
}
