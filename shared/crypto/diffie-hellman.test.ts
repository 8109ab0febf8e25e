import { createPrivateKey } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { inspect } from 'node:util';
import { concat, hex, toHex } from '@culvert/wire';
import { describe, expect, test } from 'vitest';
import rfc5903 from '../../test/vectors/rfc/rfc5903-ecp.json' with { type: 'json' };
import wycheproof from '../../test/vectors/wycheproof/ecdh-secp256r1.json' with { type: 'json' };
import {
  checkPublicValue,
  DH_GROUPS,
  type DhGroup,
  DhKey,
  generateDhKey,
  isDhGroup,
  publicValueOctets,
  respondDh,
} from './diffie-hellman.ts';
import { modpPrime } from './modp.ts';

const MODP = [2, 5, 14, 15, 16] as const;
const CURVE: ReadonlyMap<number, string> = new Map([
  [19, 'P-256'],
  [20, 'P-384'],
  [21, 'P-521'],
]);

/** [2^shift * pi] by Machin's formula, with guard bits. */
function piTimesPowerOfTwo(shift: number): bigint {
  const guard = 64;
  const one = 1n << BigInt(shift + guard);
  const arctanOfInverse = (x: bigint) => {
    let power = one / x;
    let sum = power;
    for (let n = 3n, sign = -1n; power !== 0n; n += 2n, sign = -sign) {
      power /= x * x;
      sum += (sign * power) / n;
    }
    return sum;
  };
  return (4n * (4n * arctanOfInverse(5n) - arctanOfInverse(239n))) >> BigInt(guard);
}

function integer(octets: Uint8Array): bigint {
  return BigInt(`0x${toHex(octets)}`);
}

function octetsOfInteger(value: bigint, length: number): Uint8Array {
  return hex(value.toString(16).padStart(length * 2, '0'));
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let [result, square, rest] = [1n, base % modulus, exponent];
  for (; rest > 0n; rest >>= 1n, square = (square * square) % modulus) {
    if ((rest & 1n) === 1n) result = (result * square) % modulus;
  }
  return result;
}

/** RFC 2409 §6.2, RFC 3526 §2-§5: 2^n - 2^(n-64) - 1 + 2^64 * ([2^(n-130) pi] + c). */
const PRIME_CONSTANTS: readonly (readonly [(typeof MODP)[number], number, bigint])[] = [
  [2, 1024, 129093n],
  [5, 1536, 741804n],
  [14, 2048, 124476n],
  [15, 3072, 1690314n],
  [16, 4096, 240904n],
];

describe('MODP groups', () => {
  for (const [group, bits, c] of PRIME_CONSTANTS) {
    test(`group ${group} has the prime of its formula`, () => {
      const n = BigInt(bits);
      const prime = 2n ** n - 2n ** (n - 64n) - 1n + 2n ** 64n * (piTimesPowerOfTwo(bits - 130) + c);
      expect(integer(modpPrime(group))).toBe(prime);
    });

    test(`group ${group} agrees with an exponentiation of our own`, async () => {
      const prime = integer(modpPrime(group));
      const x = integer(hex('c0ffee'.repeat(11)));
      const peerValue = octetsOfInteger(power(2n, x, prime), publicValueOctets(group));
      const response = await respondDh(group, peerValue);
      if (!response.ok) throw new Error(response.reason);
      expect(response.publicValue.length).toBe(bits / 8);
      expect(integer(response.sharedSecret.expose())).toBe(power(integer(response.publicValue), x, prime));
    });
  }

  test('public values and secrets are left-padded to the modulus (one in 256 is shorter)', async () => {
    let [shortValues, shortSecrets] = [0, 0];
    for (let batch = 0; batch < 80 && (shortValues === 0 || shortSecrets === 0); batch += 1) {
      const keys = await Promise.all(Array.from({ length: 100 }, () => generateDhKey(2)));
      for (const key of keys) {
        const response = await respondDh(2, key.publicValue);
        const agreed = response.ok && (await key.agree(response.publicValue));
        if (!response.ok || agreed === false || !agreed.ok) throw new Error('a good value was refused');
        const secret = agreed.sharedSecret.expose();
        expect([key.publicValue.length, response.publicValue.length, secret.length]).toEqual([128, 128, 128]);
        expect(response.sharedSecret.equals(secret)).toBe(true);
        shortValues += key.publicValue[0] === 0 ? 1 : 0;
        shortSecrets += secret[0] === 0 ? 1 : 0;
      }
    }
    expect(shortValues).toBeGreaterThan(0);
    expect(shortSecrets).toBeGreaterThan(0);
  });
});

describe('RFC 5903 §8', () => {
  for (const vector of rfc5903.tests) {
    test(`group ${vector.group}, both ends`, async () => {
      const { group } = vector;
      if (!isDhGroup(group)) throw new Error('unknown group');
      const own = { i: vector.gix + vector.giy, r: vector.grx + vector.gry };
      for (const [mine, theirs] of [
        ['i', 'r'],
        ['r', 'i'],
      ] as const) {
        const key = importedKey(group, vector[mine], own[mine]);
        const agreed = await key.agree(hex(own[theirs]));
        expect(agreed.ok && toHex(agreed.sharedSecret.expose())).toBe(vector.girx);
      }
    });
  }
});

describe('Wycheproof ECDH secp256r1', () => {
  for (const { tcId, comment, public: point, private: scalar, shared, result } of wycheproof.tests) {
    test(`${tcId} ${comment}`, async () => {
      // RFC 5903 §7: x | y without the 0x04 of SEC 1; anything else has the wrong length.
      const value = point.startsWith('04') ? hex(point.slice(2)) : hex(point);
      if (result === 'valid') {
        const any = await generateDhKey(19);
        const key = importedKey(19, scalar, toHex(any.publicValue), true);
        const agreed = await key.agree(value);
        expect(agreed.ok && toHex(agreed.sharedSecret.expose())).toBe(shared);
      } else {
        expect((await respondDh(19, value)).ok).toBe(false);
      }
    });
  }
});

describe('values refused before use (RFC 6989)', () => {
  for (const group of MODP) {
    const length = publicValueOctets(group);
    const p = integer(modpPrime(group));
    const cases: readonly (readonly [string, Uint8Array, string | undefined])[] = [
      ['0', new Uint8Array(length), 'out-of-range'],
      ['1', octetsOfInteger(1n, length), 'out-of-range'],
      ['2', octetsOfInteger(2n, length), undefined],
      ['p-2', octetsOfInteger(p - 2n, length), undefined],
      ['p-1', octetsOfInteger(p - 1n, length), 'out-of-range'],
      ['p', octetsOfInteger(p, length), 'out-of-range'],
      ['p+1', octetsOfInteger(p + 1n, length), 'out-of-range'],
      ['p-256', octetsOfInteger(p - 256n, length), undefined],
      ['all ones', new Uint8Array(length).fill(0xff), 'out-of-range'],
      ['empty', new Uint8Array(), 'bad-length'],
      ['four octets', octetsOfInteger(1234567n, 4), 'bad-length'],
      ['one octet short', octetsOfInteger(5n, length - 1), 'bad-length'],
      ['a leading zero too many', octetsOfInteger(5n, length + 1), 'bad-length'],
      ['a multiple of p', octetsOfInteger(2n * p, length + 1), 'bad-length'],
    ];
    for (const [name, value, expected] of cases) {
      test(`group ${group}: ${name}`, async () => {
        expect(checkPublicValue(group, value)).toBe(expected);
        if (expected !== undefined)
          expect(await respondDh(group, value)).toEqual({ ok: false, reason: expected });
      });
    }
  }

  for (const { group: number, gix, giy } of rfc5903.tests) {
    const group: DhGroup = number === 19 ? 19 : number === 20 ? 20 : 21;
    const point = hex(gix + giy);
    test(`group ${group}: any changed bit of a point`, () => {
      expect(checkPublicValue(group, point)).toBeUndefined();
      for (let index = 0; index < point.length; index += 7) {
        const changed = Uint8Array.from(point);
        changed[index] = (changed[index] ?? 0) ^ 1;
        expect(checkPublicValue(group, changed)).toBe('not-on-curve');
      }
    });
    test(`group ${group}: lengths, SEC 1 form, zero and coordinates that are not reduced`, () => {
      expect(checkPublicValue(group, point.subarray(1))).toBe('bad-length');
      expect(checkPublicValue(group, concat(Uint8Array.of(4), point))).toBe('bad-length');
      expect(checkPublicValue(group, point.subarray(0, point.length / 2))).toBe('bad-length');
      expect(checkPublicValue(group, new Uint8Array(point.length))).toBe('not-on-curve');
      expect(checkPublicValue(group, new Uint8Array(point.length).fill(0xff))).toBe('not-on-curve');
    });
  }
});

describe('private values', () => {
  test('serve one agreement', async () => {
    const [ours, theirs] = await Promise.all([generateDhKey(19), generateDhKey(19)]);
    expect((await ours.agree(theirs.publicValue)).ok).toBe(true);
    await expect(ours.agree(theirs.publicValue)).rejects.toThrow('used once');
  });

  test('a refused value does not use the key up', async () => {
    const [ours, theirs] = await Promise.all([generateDhKey(14), generateDhKey(14)]);
    expect((await ours.agree(new Uint8Array(256))).ok).toBe(false);
    expect((await ours.agree(theirs.publicValue)).ok).toBe(true);
  });

  test('are not shown', async () => {
    const key = await generateDhKey(14);
    expect(Object.keys(key)).toEqual(['group', 'publicValue']);
    expect(inspect(key, { showHidden: true })).not.toContain('privateKey');
  });
});

test('the event loop stays free while groups 16 and 21 are computed', async () => {
  await respondDh(16, (await generateDhKey(16)).publicValue);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const peers = await Promise.all(DH_GROUPS.map((group) => generateDhKey(group)));
  delay.enable();
  await Promise.all(
    peers.flatMap((peer) => Array.from({ length: 8 }, () => respondDh(peer.group, peer.publicValue))),
  );
  delay.disable();
  // 64 agreements; done on the loop, the two slowest groups alone would hold it for longer.
  expect(delay.percentile(50) / 1e6).toBeLessThan(20);
});

/** A key with a given private scalar; `loose` leaves the point for OpenSSL to be derived from the scalar. */
function importedKey(group: DhGroup, scalar: string, point: string, loose = false): DhKey {
  const octets = publicValueOctets(group) / 2;
  const d = hex(scalar.padStart(octets * 2, '0').slice(-octets * 2));
  if (loose) return new DhKey(group, hex(point), sec1(d));
  const text = (digits: string) => Buffer.from(digits, 'hex').toString('base64url');
  const half = point.length / 2;
  const jwk = {
    kty: 'EC',
    crv: CURVE.get(group) ?? '',
    d: Buffer.from(d).toString('base64url'),
    x: text(point.slice(0, half)),
    y: text(point.slice(half)),
  };
  return new DhKey(group, hex(point), createPrivateKey({ key: jwk, format: 'jwk' }));
}

/** RFC 5915 ECPrivateKey of P-256 without a public key, inside PKCS #8. */
function sec1(d: Uint8Array) {
  const ec = concat(hex('30250201010420'), d);
  const pkcs8 = concat(hex('3041020100301306072a8648ce3d020106082a8648ce3d0301070427'), ec);
  return createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
}
