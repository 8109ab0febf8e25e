import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { EspEncryption, EspIntegrity, EspKeys } from '@culvert/contracts';
import { invariant } from '@culvert/kernel';

/** What one direction of an SA does to a packet; made once per SA, so that keys are imported once. */
export type EspTransform = GcmTransform | CbcTransform;

export interface GcmTransform {
  readonly mode: 'gcm';
  readonly cipher: 'aes-128-gcm' | 'aes-256-gcm';
  readonly key: KeyObject;
  readonly salt: Uint8Array;
  readonly ivOctets: 8;
  readonly blockOctets: 4;
  readonly icvOctets: 16;
}

export interface CbcTransform {
  readonly mode: 'cbc';
  readonly cipher: 'aes-128-cbc' | 'aes-192-cbc' | 'aes-256-cbc' | 'des-ede3-cbc';
  readonly key: KeyObject;
  readonly ivOctets: 8 | 16;
  readonly blockOctets: 8 | 16;
  readonly icvOctets: number;
  readonly integrity?: { readonly hash: HashName; readonly key: KeyObject };
}

type HashName = 'sha1' | 'sha256' | 'sha384' | 'sha512';

const CBC = {
  'aes-cbc-128': { cipher: 'aes-128-cbc', keyOctets: 16, blockOctets: 16 },
  'aes-cbc-192': { cipher: 'aes-192-cbc', keyOctets: 24, blockOctets: 16 },
  'aes-cbc-256': { cipher: 'aes-256-cbc', keyOctets: 32, blockOctets: 16 },
  '3des-cbc': { cipher: 'des-ede3-cbc', keyOctets: 24, blockOctets: 8 },
} as const;

/** RFC 4106. */
const GCM = {
  'aes-gcm-16-128': { cipher: 'aes-128-gcm', keyOctets: 16 },
  'aes-gcm-16-256': { cipher: 'aes-256-gcm', keyOctets: 32 },
} as const;
const SALT_OCTETS = 4;

/** RFC 2404 and RFC 4868 §2.6: a key as long as the hash, and how much of it the ICV shows. */
const INTEGRITY = {
  'hmac-sha1-96': { hash: 'sha1', keyOctets: 20, icvOctets: 12 },
  'hmac-sha2-256-128': { hash: 'sha256', keyOctets: 32, icvOctets: 16 },
  'hmac-sha2-384-192': { hash: 'sha384', keyOctets: 48, icvOctets: 24 },
  'hmac-sha2-512-256': { hash: 'sha512', keyOctets: 64, icvOctets: 32 },
} as const;

/** Throws when the keys do not fit the algorithms: the entry is ours, so the fault is ours. */
export function prepareEsp(encryption: EspEncryption, integrity: EspIntegrity, keys: EspKeys): EspTransform {
  if (encryption === 'aes-gcm-16-128' || encryption === 'aes-gcm-16-256') {
    const row = GCM[encryption];
    invariant(integrity === 'none', 'ESP: AES-GCM brings its own integrity');
    invariant(keys.encryption.length === row.keyOctets, `ESP: ${encryption} key has a wrong length`);
    invariant(keys.salt.length === SALT_OCTETS, 'ESP: AES-GCM salt has a wrong length');
    const key = createSecretKey(keys.encryption);
    return {
      mode: 'gcm',
      cipher: row.cipher,
      key,
      salt: keys.salt.slice(),
      ivOctets: 8,
      blockOctets: 4,
      icvOctets: 16,
    };
  }
  const row = CBC[encryption];
  invariant(row !== undefined, 'ESP: unknown encryption');
  invariant(keys.encryption.length === row.keyOctets, `ESP: ${encryption} key has a wrong length`);
  const cbc = { mode: 'cbc', cipher: row.cipher, key: createSecretKey(keys.encryption) } as const;
  const sizes = { ivOctets: row.blockOctets, blockOctets: row.blockOctets };
  if (integrity === 'none') return { ...cbc, ...sizes, icvOctets: 0 };
  const law = INTEGRITY[integrity];
  invariant(law !== undefined, 'ESP: unknown integrity');
  invariant(keys.integrity.length === law.keyOctets, `ESP: ${integrity} key has a wrong length`);
  const key = createSecretKey(keys.integrity);
  return { ...cbc, ...sizes, icvOctets: law.icvOctets, integrity: { hash: law.hash, key } };
}

/** RFC 4303 §2.8: over everything from the SPI to the Next Header, without the ICV itself. */
export function icvOf(transform: CbcTransform, covered: Uint8Array): Uint8Array {
  if (transform.integrity === undefined) return new Uint8Array(0);
  const mac = createHmac(transform.integrity.hash, transform.integrity.key).update(covered).digest();
  return mac.subarray(0, transform.icvOctets);
}

export function icvHolds(transform: CbcTransform, covered: Uint8Array, icv: Uint8Array): boolean {
  return icv.length === transform.icvOctets && timingSafeEqual(icvOf(transform, covered), icv);
}
