import type { CbcTransform, EspTransform } from './transform.ts';

/**
 * HMAC-SHA-256 as draft-ietf-ipsec-ciphersuites had it before RFC 4868: the ICV shows 96 bits of it, not 128.
 * Old Linux and old Android still do so and negotiate it under the same name.
 */
const TRUNCATED_OCTETS = 12;

/** The same transform with the draft's ICV; undefined when there is no such form of it. */
export function truncated(transform: EspTransform): CbcTransform | undefined {
  if (transform.mode !== 'cbc' || transform.integrity?.hash !== 'sha256') return undefined;
  return { ...transform, icvOctets: TRUNCATED_OCTETS };
}
