import { createDecipheriv } from 'node:crypto';
import { concat, hex, toHex } from '@culvert/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import wycheproof from '../../test/vectors/wycheproof/aes-gcm.json' with { type: 'json' };
import { AEAD_TAG_OCTETS, aeadOpen, aeadSeal } from './aead.ts';
import { Secret } from './secret.ts';

describe('Wycheproof AES-GCM', () => {
  for (const { tcId, comment, key, iv, aad, msg, ct, tag, result } of wycheproof.tests) {
    test(`${tcId} ${comment}`, () => {
      const opened = aeadOpen(hex(key), hex(iv), hex(aad), hex(ct + tag));
      expect(opened && toHex(opened)).toBe(result === 'valid' ? msg : undefined);
      if (result === 'valid') {
        expect(toHex(aeadSeal(new Secret(hex(key)), hex(iv), hex(aad), hex(msg)))).toBe(ct + tag);
      }
    });
  }
});

/** The construction of RFC 4106 §8.1 and §5: nonce = salt | explicit IV, AAD = SPI | sequence number. */
test('RFC 4106: NIST GCM test case 4 as ESP uses it', () => {
  const key = hex('feffe9928665731c6d6a8f9467308308');
  const [salt, iv] = [hex('cafebabe'), hex('facedbaddecaf888')];
  const aad = hex('feedfacedeadbeeffeedfacedeadbeefabaddad2');
  const plain = hex(`d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
    1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39`);
  const sealed = aeadSeal(key, concat(salt, iv), aad, plain);
  expect(toHex(sealed)).toBe(
    toHex(
      hex(`42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05
        1ba30b396a0aac973d58e091 5bc94fbc3221a5db94fae95ae7121a47`),
    ),
  );
  expect(aeadOpen(key, concat(salt, iv), aad, sealed)).toEqual(plain);
});

describe('what may not open', () => {
  const key = hex('11'.repeat(32));
  const nonce = hex('22'.repeat(12));
  const aad = hex('33');
  const plain = hex('00112233445566778899');
  const sealed = aeadSeal(key, nonce, aad, plain);

  test('every truncated tag, of which Node by itself takes 4, 8 and 12 to 15 octets', () => {
    const loose = createDecipheriv('aes-256-gcm', key, nonce);
    loose.setAAD(aad);
    loose.setAuthTag(sealed.subarray(plain.length, plain.length + 4));
    loose.update(sealed.subarray(0, plain.length));
    expect(() => loose.final()).not.toThrow();

    for (let length = 0; length < sealed.length; length += 1) {
      expect(aeadOpen(key, nonce, aad, sealed.subarray(0, length))).toBeUndefined();
    }
  });

  test('any flipped bit of ciphertext, tag, nonce or associated data', () => {
    fc.assert(
      fc.property(fc.nat(sealed.length * 8 - 1), (bit) => {
        const forged = Uint8Array.from(sealed);
        forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(aeadOpen(key, nonce, aad, forged)).toBeUndefined();
      }),
    );
    expect(aeadOpen(key, hex('23'.repeat(12)), aad, sealed)).toBeUndefined();
    expect(aeadOpen(key, nonce, hex('34'), sealed)).toBeUndefined();
    expect(aeadOpen(hex('12'.repeat(32)), nonce, aad, sealed)).toBeUndefined();
    expect(aeadOpen(key, nonce, aad, sealed)?.length).toBe(sealed.length - AEAD_TAG_OCTETS);
  });

  test('keys and nonces of another length are our own fault', () => {
    expect(() => aeadSeal(new Uint8Array(24), nonce, aad, plain)).toThrow(RangeError);
    expect(() => aeadSeal(key, new Uint8Array(8), aad, plain)).toThrow(RangeError);
    expect(() => aeadOpen(key, new Uint8Array(), aad, sealed)).toThrow(RangeError);
  });
});
