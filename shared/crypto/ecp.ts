import { createPublicKey, type KeyObject } from 'node:crypto';
import { concat } from '@culvert/wire';

/** RFC 5903: the 256-, 384- and 521-bit random ECP groups. */
export type EcpGroup = 19 | 20 | 21;

interface Curve {
  readonly name: 'P-256' | 'P-384' | 'P-521';
  /** Octets of one coordinate. */
  readonly octets: number;
  readonly p: bigint;
  readonly b: bigint;
}

/** RFC 5903 §3. In all three a = -3 and the cofactor is 1, so a point on the curve is in the group. */
const CURVES: Readonly<Record<EcpGroup, Curve>> = {
  19: {
    name: 'P-256',
    octets: 32,
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  },
  20: {
    name: 'P-384',
    octets: 48,
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  },
  21: {
    name: 'P-521',
    octets: 66,
    p: 2n ** 521n - 1n,
    b: 0x0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
  },
};

export function ecpName(group: EcpGroup): string {
  return CURVES[group].name;
}

/** RFC 5903 §7: the public value is x | y, without the 0x04 of SEC 1. */
export function ecpOctets(group: EcpGroup): number {
  return CURVES[group].octets * 2;
}

/** RFC 5903 §7: the shared secret is the x coordinate alone. */
export function ecpSharedOctets(group: EcpGroup): number {
  return CURVES[group].octets;
}

/** RFC 6989 §2.3: both coordinates reduced and y^2 = x^3 - 3x + b. The point at infinity has no encoding. */
export function ecpOnCurve(group: EcpGroup, point: Uint8Array): boolean {
  const { octets, p, b } = CURVES[group];
  const x = integerOf(point.subarray(0, octets));
  const y = integerOf(point.subarray(octets));
  if (x >= p || y >= p) return false;
  return (y * y - (x * x * x - 3n * x + b)) % p === 0n;
}

export function ecpPublicKey(group: EcpGroup, point: Uint8Array): KeyObject {
  const { name, octets } = CURVES[group];
  const x = Buffer.from(point.subarray(0, octets)).toString('base64url');
  const y = Buffer.from(point.subarray(octets)).toString('base64url');
  return createPublicKey({ key: { kty: 'EC', crv: name, x, y }, format: 'jwk' });
}

/** RFC 7518 §6.2.1.2: JWK coordinates are always of full length, so nothing is left to pad. */
export function ecpPublicValue(key: KeyObject): Uint8Array {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  return concat(Uint8Array.from(Buffer.from(x, 'base64url')), Uint8Array.from(Buffer.from(y, 'base64url')));
}

function integerOf(octets: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(octets).toString('hex')}`);
}
