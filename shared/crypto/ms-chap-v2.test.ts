import { hex, toHex } from '@culvert/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chapResponse, verifyChapResponse } from './chap.ts';
import { md4 } from './md4.ts';
import { md5 } from './md5.ts';
import {
  authenticatorResponse,
  challengeHash,
  hashNtPasswordHash,
  ntPasswordHash,
  ntResponse,
  verifyAuthenticatorResponse,
  verifyNtResponse,
} from './ms-chap-v2.ts';
import { Secret } from './secret.ts';

const ascii = (text: string) => new TextEncoder().encode(text);

describe('RFC 1320 A.5', () => {
  const suite: Readonly<Record<string, string>> = {
    '': '31d6cfe0d16ae931b73c59d7e0c089c0',
    a: 'bde52cb31de33e46245e05fbdbd6fb24',
    abc: 'a448017aaf21d8525fc10ae87aa6729d',
    'message digest': 'd9130a8164549fe818874806e1c7014b',
    abcdefghijklmnopqrstuvwxyz: 'd79e1c308aa5bbcdeea8ed63df412da9',
    ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789: '043f8582f241db351ce627e153e7f0e4',
    ['1234567890'.repeat(8)]: 'e33b4ddc9c38f2199c3e7b164fcc0536',
  };
  for (const [message, digest] of Object.entries(suite)) {
    test(`"${message}"`, () => expect(toHex(md4(ascii(message)))).toBe(digest));
  }

  test('lengths around the block boundary give distinct digests', () => {
    const digests = Array.from({ length: 130 }, (_, length) => toHex(md4(new Uint8Array(length))));
    expect(new Set(digests).size).toBe(130);
  });
});

describe('RFC 2759 §9.2', () => {
  const exchange = {
    authenticatorChallenge: hex('5b5d7c7d7b3f2f3e3c2c602132262628'),
    peerChallenge: hex('21402324255e262a28295f2b3a337c7e'),
    userName: ascii('User'),
  };
  const ntHash = hex('44ebba8d5312b8d611474411f56989ae');
  const response = hex('82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df');
  const success = 'S=407A5589115FD0D6209F510FE9C04566932CDA56';

  test('ChallengeHash', () => expect(toHex(challengeHash(exchange))).toBe('d02e4386bce91226'));
  test('NtPasswordHash', () => expect(ntPasswordHash('clientPass')).toEqual(ntHash));
  test('HashNtPasswordHash', () =>
    expect(toHex(hashNtPasswordHash(ntHash))).toBe('41c00c584bd2d91c4017a2a12fa59f3f'));
  test('GenerateNTResponse', () => expect(ntResponse(exchange, new Secret(ntHash))).toEqual(response));
  test('GenerateAuthenticatorResponse', () => {
    expect(authenticatorResponse(exchange, ntHash, response)).toBe(success);
  });

  test('the authenticator accepts it, and nothing near it', () => {
    expect(verifyNtResponse(exchange, ntHash, response)).toBe(true);
    for (let bit = 0; bit < response.length * 8; bit += 1) {
      const forged = Uint8Array.from(response);
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(verifyNtResponse(exchange, ntHash, forged)).toBe(false);
    }
    for (const length of [0, 1, 16, 23, 25, 49]) {
      expect(verifyNtResponse(exchange, ntHash, new Uint8Array(length))).toBe(false);
    }
  });

  test('the peer accepts the authenticator, and nothing near it', () => {
    expect(verifyAuthenticatorResponse(exchange, ntHash, response, success)).toBe(true);
    for (const wrong of ['', 'S=', success.toLowerCase(), `${success} M=OK`, success.replace('407', '408')]) {
      expect(verifyAuthenticatorResponse(exchange, ntHash, response, wrong)).toBe(false);
    }
  });

  test('both ends agree for any password, name and challenges', () => {
    const octets = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 64 }),
        fc.string(),
        octets,
        octets,
        (password, name, a, b) => {
          const given = { authenticatorChallenge: a, peerChallenge: b, userName: ascii(name) };
          const hash = ntPasswordHash(password);
          const answer = ntResponse(given, hash);
          expect(verifyNtResponse(given, hash, answer)).toBe(true);
          const proof = authenticatorResponse(given, hash, answer);
          expect(verifyAuthenticatorResponse(given, hash, answer, proof)).toBe(true);
          expect(verifyNtResponse(given, ntPasswordHash(`${password}x`), answer)).toBe(false);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('RFC 1994 §4.1', () => {
  test('the response is MD5 over Identifier, secret and challenge', () => {
    // Computed with md5sum over 01 | "secret" | 000102...0f.
    const challenge = hex('000102030405060708090a0b0c0d0e0f');
    const response = chapResponse(1, Secret.fromText('secret'), challenge);
    expect(toHex(response)).toBe('740e86463bda3a4d7017d6e0fba0699d');
    expect(verifyChapResponse(1, ascii('secret'), challenge, response)).toBe(true);
    expect(verifyChapResponse(2, ascii('secret'), challenge, response)).toBe(false);
    expect(verifyChapResponse(1, ascii('Secret'), challenge, response)).toBe(false);
    for (const length of [0, 15, 17]) {
      expect(verifyChapResponse(1, ascii('secret'), challenge, new Uint8Array(length))).toBe(false);
    }
  });

  test('RFC 1321 A.5', () => {
    expect(toHex(md5(ascii('message digest')))).toBe('f96b697d7cb7938d525a2f31aaf161d0');
    expect(toHex(md5(ascii('message'), ascii(' digest')))).toBe('f96b697d7cb7938d525a2f31aaf161d0');
  });
});
