import { createHash, createHmac } from 'node:crypto';
import { concat, hex } from '@culvert/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hash1, hash2, hash3, hashI, hashR, informationalHash } from './isakmp-hashes.ts';
import {
  encryptionKey,
  initialIv,
  keymat,
  natDetectionHash,
  phase2Iv,
  skeyidOfPsk,
  skeyids,
} from './isakmp-keys.ts';
import type { HashName } from './prf.ts';
import { Secret } from './secret.ts';

/**
 * A second derivation, written from RFC 2409 alone as one hexadecimal string per input. It shares nothing
 * with the code under test.
 */
const OPENSSL: Readonly<Record<HashName, string>> = {
  sha1: 'sha1',
  'sha2-256': 'sha256',
  'sha2-384': 'sha384',
  'sha2-512': 'sha512',
};
const mac = (name: HashName, key: string, text: string) =>
  createHmac(OPENSSL[name], Buffer.from(key, 'hex')).update(text, 'hex').digest('hex');
const hash = (name: HashName, text: string) => createHash(OPENSSL[name]).update(text, 'hex').digest('hex');
const text = (octets: Uint8Array) => Buffer.from(octets).toString('hex');

const octets = (min: number, max = min) => fc.uint8Array({ minLength: min, maxLength: max });
const inputs = fc.record({
  name: fc.constantFrom<HashName>('sha1', 'sha2-256', 'sha2-384', 'sha2-512'),
  psk: octets(1, 80),
  ni: octets(8, 256),
  nr: octets(8, 256),
  gxy: octets(32, 512),
  cki: octets(8),
  ckr: octets(8),
});

describe('RFC 2409 §5', () => {
  test('SKEYID and its three keys', () => {
    fc.assert(
      fc.property(inputs, ({ name, psk, ni, nr, gxy, cki, ckr }) => {
        const skeyid = mac(name, text(psk), text(ni) + text(nr));
        const cookies = text(cki) + text(ckr);
        const d = mac(name, skeyid, `${text(gxy)}${cookies}00`);
        const a = mac(name, skeyid, `${d}${text(gxy)}${cookies}01`);
        const e = mac(name, skeyid, `${a}${text(gxy)}${cookies}02`);

        const ours = skeyidOfPsk(name, new Secret(psk), ni, nr);
        const keys = skeyids(name, ours, new Secret(gxy), { initiator: cki, responder: ckr });
        expect([ours, keys.skeyid, keys.d, keys.a, keys.e].map(text)).toEqual([skeyid, skeyid, d, a, e]);
      }),
    );
  });

  test('HASH_I and HASH_R differ in the order of everything but SA and ID', () => {
    fc.assert(
      fc.property(inputs, octets(20, 200), octets(8, 40), ({ name, psk, ni, nr, cki, ckr }, sa, id) => {
        const transcript = {
          hash: name,
          skeyid: psk,
          publicI: ni,
          publicR: nr,
          cookies: { initiator: cki, responder: ckr },
          saBody: sa,
        };
        const rest = text(sa) + text(id);
        expect(text(hashI(transcript, id))).toBe(
          mac(name, text(psk), text(ni) + text(nr) + text(cki) + text(ckr) + rest),
        );
        expect(text(hashR(transcript, id))).toBe(
          mac(name, text(psk), text(nr) + text(ni) + text(ckr) + text(cki) + rest),
        );
      }),
    );
  });

  test('HASH(1), HASH(2), HASH(3) and the informational HASH', () => {
    const a = hex('000102030405060708090a0b0c0d0e0f10111213');
    const [ni, nr, rest] = [hex('aa'.repeat(16)), hex('bb'.repeat(16)), hex('0a00000c000102030405060708')];
    const m = '89abcdef';
    expect(text(hash1('sha1', a, 0x89abcdef, rest))).toBe(mac('sha1', text(a), m + text(rest)));
    expect(text(informationalHash('sha1', a, 0x89abcdef, rest))).toBe(mac('sha1', text(a), m + text(rest)));
    expect(text(hash2('sha1', a, 0x89abcdef, ni, rest))).toBe(
      mac('sha1', text(a), m + text(ni) + text(rest)),
    );
    expect(text(hash3('sha1', a, 0x89abcdef, ni, nr))).toBe(
      mac('sha1', text(a), `00${m}${text(ni)}${text(nr)}`),
    );
  });
});

describe('RFC 2409 appendix B', () => {
  test('a long enough SKEYID_e is cut', () => {
    const e = hex('00112233445566778899aabbccddeeff01234567');
    expect(text(encryptionKey('sha1', e, 16))).toBe('00112233445566778899aabbccddeeff');
    expect(text(encryptionKey('sha1', e, 20))).toBe(text(e));
  });

  test('a short one is expanded from prf(SKEYID_e, 0): 3DES and AES-256 with SHA-1', () => {
    const e = 'ab'.repeat(20);
    const k1 = mac('sha1', e, '00');
    const k2 = mac('sha1', e, k1);
    expect(text(encryptionKey('sha1', hex(e), 24))).toBe((k1 + k2).slice(0, 48));
    expect(text(encryptionKey('sha1', hex(e), 32))).toBe((k1 + k2).slice(0, 64));
    const k3 = mac('sha1', e, k2);
    expect(text(encryptionKey('sha1', hex(e), 56))).toBe((k1 + k2 + k3).slice(0, 112));
  });

  test('initialisation vectors', () => {
    fc.assert(
      fc.property(octets(128, 256), octets(128, 256), octets(16), fc.nat(0xffffffff), (gi, gr, last, id) => {
        expect(text(initialIv('sha2-256', gi, gr, 16))).toBe(
          hash('sha2-256', text(gi) + text(gr)).slice(0, 32),
        );
        expect(text(initialIv('sha1', gi, gr, 8))).toBe(hash('sha1', text(gi) + text(gr)).slice(0, 16));
        const m = id.toString(16).padStart(8, '0');
        expect(text(phase2Iv('sha1', last, id))).toBe(hash('sha1', text(last) + m).slice(0, 32));
      }),
    );
  });
});

describe('RFC 2409 §5.5 KEYMAT', () => {
  test('with and without PFS, over any number of blocks', () => {
    fc.assert(
      fc.property(
        inputs,
        fc.nat(0xffffffff),
        fc.integer({ min: 1, max: 144 }),
        fc.boolean(),
        (given, spi, length, pfs) => {
          const { name, psk: d, ni, nr, gxy } = given;
          const seed = `${pfs ? text(gxy) : ''}03${spi.toString(16).padStart(8, '0')}${text(ni)}${text(nr)}`;
          let block = '';
          let expected = '';
          while (expected.length < length * 2) {
            block = mac(name, text(d), block + seed);
            expected += block;
          }
          const sharedSecret = pfs ? new Secret(gxy) : undefined;
          const ours = keymat(
            { hash: name, skeyidD: d, sharedSecret, protocol: 3, spi, nonceI: ni, nonceR: nr },
            length,
          );
          expect(text(ours)).toBe(expected.slice(0, length * 2));
        },
      ),
    );
  });
});

test('RFC 3947 §3.2 NAT-D, IPv4 and IPv6', () => {
  const cookies = { initiator: hex('0102030405060708'), responder: hex('1112131415161718') };
  for (const address of [hex('c0000201'), hex('20010db8000000000000000000000001')]) {
    const input = concat(cookies.initiator, cookies.responder, address, hex('1194'));
    expect(text(natDetectionHash('sha1', cookies, address, 4500))).toBe(hash('sha1', text(input)));
  }
});
