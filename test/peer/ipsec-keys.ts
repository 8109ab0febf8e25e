import type { EspKeys } from '@culvert/contracts';
import { type HashName, type KeyOctets, keymat } from '@culvert/crypto';
import { PROTOCOL } from '@culvert/wire/ike';
import type { Phase2Suite } from './isakmp-offer.ts';

export interface IpsecKeys {
  readonly inbound: EspKeys;
  readonly outbound: EspKeys;
}

interface Material {
  readonly hash: HashName;
  readonly skeyidD: Uint8Array;
  readonly sharedSecret: KeyOctets | undefined;
  readonly nonceI: Uint8Array;
  readonly nonceR: Uint8Array;
}

/** Octets of encryption key, integrity key and salt. */
const ENCRYPTION = {
  'aes-cbc-128': [16, 0],
  'aes-cbc-192': [24, 0],
  'aes-cbc-256': [32, 0],
  '3des-cbc': [24, 0],
  'aes-gcm-16-128': [16, 4],
  'aes-gcm-16-256': [32, 4],
} as const;

const INTEGRITY = {
  none: 0,
  'hmac-sha1-96': 20,
  'hmac-sha2-256-128': 32,
  'hmac-sha2-384-192': 48,
  'hmac-sha2-512-256': 64,
} as const;

/** RFC 2409 §5.5: a KEYMAT per direction under the SPI of its receiver; RFC 4106 §8.1 for the salt behind the key. */
export function ipsecKeys(
  suite: Phase2Suite,
  material: Material,
  ourSpi: number,
  theirSpi: number,
): IpsecKeys {
  const [key, salt] = ENCRYPTION[suite.encryption];
  const integrity = INTEGRITY[suite.integrity];
  const cut = (spi: number): EspKeys => {
    const octets = keymat({ ...material, protocol: PROTOCOL.ESP, spi }, key + salt + integrity);
    return {
      encryption: octets.slice(0, key),
      salt: octets.slice(key, key + salt),
      integrity: octets.slice(key + salt),
    };
  };
  return { inbound: cut(ourSpi), outbound: cut(theirSpi) };
}
