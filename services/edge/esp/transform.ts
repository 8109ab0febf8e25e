import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { EspEncryption, EspIntegrity, EspKeys } from '@culvert/contracts';
import { invariant } from '@culvert/kernel';
import { ESP_HEADER_OCTETS } from '@culvert/wire/esp';

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
  readonly esn: boolean;
}

export interface CbcTransform {
  readonly mode: 'cbc';
  readonly cipher: 'aes-128-cbc' | 'aes-192-cbc' | 'aes-256-cbc' | 'des-ede3-cbc';
  readonly key: KeyObject;
  readonly ivOctets: 8 | 16;
  readonly blockOctets: 8 | 16;
  readonly icvOctets: number;
  readonly esn: boolean;
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

/** Why keys do not fit the algorithms, if they do not. */
export function keyFault(
  encryption: EspEncryption,
  integrity: EspIntegrity,
  keys: EspKeys,
): string | undefined {
  if (isGcm(encryption)) {
    if (integrity !== 'none') return 'ESP: AES-GCM brings its own integrity';
    if (keys.salt.length !== SALT_OCTETS) return 'ESP: AES-GCM salt has a wrong length';
  } else {
    if (!Object.hasOwn(CBC, encryption)) return 'ESP: unknown encryption';
    if (integrity !== 'none') {
      if (!Object.hasOwn(INTEGRITY, integrity)) return 'ESP: unknown integrity';
      const { keyOctets } = INTEGRITY[integrity];
      if (keys.integrity.length !== keyOctets) return `ESP: ${integrity} key has a wrong length`;
    }
  }
  const { keyOctets } = isGcm(encryption) ? GCM[encryption] : CBC[encryption];
  return keys.encryption.length === keyOctets ? undefined : `ESP: ${encryption} key has a wrong length`;
}

function isGcm(encryption: EspEncryption): encryption is keyof typeof GCM {
  return Object.hasOwn(GCM, encryption);
}

/** Throws when the keys do not fit the algorithms: the entry is ours, so the fault is ours. */
export function prepareEsp(
  encryption: EspEncryption,
  integrity: EspIntegrity,
  keys: EspKeys,
  esn = false,
): EspTransform {
  const fault = keyFault(encryption, integrity, keys);
  invariant(fault === undefined, fault ?? '');
  const key = createSecretKey(keys.encryption);
  if (isGcm(encryption)) {
    const { cipher } = GCM[encryption];
    const sizes = { ivOctets: 8, blockOctets: 4, icvOctets: 16 } as const;
    return { mode: 'gcm', cipher, key, salt: keys.salt.slice(), ...sizes, esn };
  }
  const { cipher, blockOctets } = CBC[encryption];
  const cbc = { mode: 'cbc', cipher, key, ivOctets: blockOctets, blockOctets, esn } as const;
  if (integrity === 'none') return { ...cbc, icvOctets: 0 };
  const { hash, icvOctets } = INTEGRITY[integrity];
  return { ...cbc, icvOctets, integrity: { hash, key: createSecretKey(keys.integrity) } };
}

const NOTHING: Uint8Array = new Uint8Array(0);

/**
 * RFC 4303 §2.8: over everything from the SPI to the Next Header, without the ICV itself; §2.2.1: with
 * extended numbers then over the high half, which does not travel.
 */
export function icvOf(transform: CbcTransform, covered: Uint8Array, high = NOTHING): Uint8Array {
  if (transform.integrity === undefined) return NOTHING;
  const { hash, key } = transform.integrity;
  const mac = createHmac(hash, key).update(covered).update(high).digest();
  return mac.subarray(0, transform.icvOctets);
}

export function icvHolds(
  transform: CbcTransform,
  covered: Uint8Array,
  icv: Uint8Array,
  high = NOTHING,
): boolean {
  return icv.length === transform.icvOctets && timingSafeEqual(icvOf(transform, covered, high), icv);
}

/** Whether a packet of this length can be one of the transform's. */
export function fits(transform: EspTransform, packetOctets: number): boolean {
  const body = packetOctets - ESP_HEADER_OCTETS - transform.ivOctets - transform.icvOctets;
  return body > 0 && body % transform.blockOctets === 0;
}
