import { randomBytes } from 'node:crypto';

const SEED_OCTETS = 32;

/** The real source behind the host's entropy port: 32 octets from the operating system for each fact. */
export const systemEntropy = {
  seed: (): Uint8Array => Uint8Array.from(randomBytes(SEED_OCTETS)),
} as const;

/** Octets that never become visible: keys, salts, AEAD nonces of stored records. */
export function secretRandom(length: number): Uint8Array {
  return Uint8Array.from(randomBytes(length));
}
