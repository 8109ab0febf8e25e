import { concat, hex, toHex } from '@culvert/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import rfc3602 from '../../test/vectors/rfc/rfc3602-aes-cbc.json' with { type: 'json' };
import { type CbcCipher, cbcBlockOctets, cbcKeyOctets, decryptCbc, encryptCbc } from './cbc.ts';

const CIPHERS: readonly CbcCipher[] = ['aes-cbc-128', 'aes-cbc-192', 'aes-cbc-256', '3des-cbc'];

describe('RFC 3602 §4', () => {
  for (const { case: number, key, iv, plain, cipher } of rfc3602.tests) {
    test(`case ${number}`, () => {
      expect(toHex(encryptCbc('aes-cbc-128', hex(key), hex(iv), hex(plain)).octets)).toBe(cipher);
      const opened = decryptCbc('aes-cbc-128', hex(key), hex(iv), hex(cipher));
      expect(opened && toHex(opened.octets)).toBe(plain);
    });
  }
});

for (const cipher of CIPHERS) {
  const block = cbcBlockOctets(cipher);
  const keyAndIv = fc.tuple(
    fc.uint8Array({ minLength: cbcKeyOctets(cipher), maxLength: cbcKeyOctets(cipher) }),
    fc.uint8Array({ minLength: block, maxLength: block }),
  );

  describe(cipher, () => {
    test('what was encrypted comes back, zero-padded to the block', () => {
      fc.assert(
        fc.property(keyAndIv, fc.uint8Array({ minLength: 1, maxLength: 100 }), ([key, iv], plain) => {
          const sealed = encryptCbc(cipher, key, iv, plain);
          const opened = decryptCbc(cipher, key, iv, sealed.octets);
          expect(sealed.octets.length).toBe(Math.ceil(plain.length / block) * block);
          expect(opened?.octets.subarray(0, plain.length)).toEqual(plain);
          expect(opened?.octets.subarray(plain.length).every((octet) => octet === 0)).toBe(true);
          expect(sealed.nextIv).toEqual(sealed.octets.slice(-block));
          expect(opened?.nextIv).toEqual(sealed.nextIv);
        }),
      );
    });

    test('the next IV continues the chain (RFC 2409 appendix B)', () => {
      fc.assert(
        fc.property(keyAndIv, ([key, iv]) => {
          const [one, two] = [new Uint8Array(block).fill(1), new Uint8Array(2 * block).fill(2)];
          const first = encryptCbc(cipher, key, iv, one);
          const second = encryptCbc(cipher, key, first.nextIv, two);
          const whole = encryptCbc(cipher, key, iv, concat(one, two));
          expect(concat(first.octets, second.octets)).toEqual(whole.octets);
        }),
      );
    });

    test('lengths that are no blocks are refused, not thrown', () => {
      const [key, iv] = [new Uint8Array(cbcKeyOctets(cipher)).fill(7), new Uint8Array(block)];
      for (let length = 0; length <= 3 * block; length += 1) {
        const opened = decryptCbc(cipher, key, iv, new Uint8Array(length));
        expect(opened === undefined).toBe(length === 0 || length % block !== 0);
      }
    });
  });
}
