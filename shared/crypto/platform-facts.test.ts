import { createCipheriv, createECDH, createHash, getDiffieHellman } from 'node:crypto';
import { concat, hex } from '@culvert/wire';
import { describe, expect, test } from 'vitest';
import { generateDhKey } from './diffie-hellman.ts';
import { modpPrime, modpPublicKey } from './modp.ts';

/**
 * What node:crypto does by itself, measured: the reasons for the checks and detours of this package. A
 * line that fails after an update of Node says that a detour may go, or that a check has become vital.
 */
describe('OpenSSL 3 without its legacy provider', () => {
  test('has no MD4, so md4.ts is our own', () => {
    expect(() => createHash('md4')).toThrow(/unsupported/);
  });
  test('has no single DES, but triple DES with equal keys is it', () => {
    expect(() => createCipheriv('des-ecb', new Uint8Array(8), null)).toThrow(/unsupported/);
    const key = hex('0123456789abcdef');
    const cipher = createCipheriv('des-ede3-ecb', concat(key, key, key), null).setAutoPadding(false);
    // FIPS 81 appendix B: "Now is t".
    expect(cipher.update(hex('4e6f772069732074')).toString('hex')).toBe('3fa40e8a984d4815');
  });
  test('has no RC4', () => {
    expect(() => createCipheriv('rc4', new Uint8Array(16), null)).toThrow(/unsupported/);
  });
});

describe('Diffie-Hellman values that OpenSSL lets through', () => {
  const prime = modpPrime(14);
  const group = getDiffieHellman('modp14');
  group.generateKeys();

  test('refuses 0, 1, p-1 and p', () => {
    const beforePrime = Uint8Array.from(prime);
    beforePrime[255] = (beforePrime[255] ?? 0) - 1;
    for (const value of [Uint8Array.of(0), Uint8Array.of(1), beforePrime, prime]) {
      expect(() => group.computeSecret(value)).toThrow();
    }
  });
  test('takes a value of four octets, and one with a leading zero too many', () => {
    expect(() => group.computeSecret(hex('12345678'))).not.toThrow();
    expect(() => group.computeSecret(concat(Uint8Array.of(0), new Uint8Array(256).fill(0x55)))).not.toThrow();
  });
  test('its key objects take and give lengths of any kind, so only our check holds the length', async () => {
    expect(() => modpPublicKey(14, hex('12345678'))).not.toThrow();
    expect((await generateDhKey(14)).publicValue.length).toBe(256);
  });
  test('refuses points off the curve and at infinity', () => {
    const ecdh = createECDH('prime256v1');
    ecdh.generateKeys();
    expect(() => ecdh.computeSecret(concat(Uint8Array.of(4), new Uint8Array(64).fill(1)))).toThrow();
    expect(() => ecdh.computeSecret(Uint8Array.of(0))).toThrow();
  });
});
