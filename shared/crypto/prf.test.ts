import { hex, toHex } from '@culvert/wire';
import { describe, expect, test } from 'vitest';
import rfc2202 from '../../test/vectors/rfc/rfc2202-hmac-sha1.json' with { type: 'json' };
import rfc4231 from '../../test/vectors/rfc/rfc4231-hmac-sha2.json' with { type: 'json' };
import wycheproof from '../../test/vectors/wycheproof/hmac.json' with { type: 'json' };
import { type HashName, hashOctets, prf } from './prf.ts';
import { constantTimeEqual, Secret } from './secret.ts';

const NAMES: readonly HashName[] = ['sha1', 'sha2-256', 'sha2-384', 'sha2-512'];

describe('RFC 2202 §3, RFC 4231 §4', () => {
  for (const { case: number, key, data, hmac } of [...rfc2202.tests, ...rfc4231.tests]) {
    for (const [name, expected] of Object.entries(hmac)) {
      const hash = NAMES.find((known) => known === name);
      test(`${name} case ${number}`, () => {
        if (hash === undefined) throw new Error(`unknown hash ${name}`);
        const mac = prf(hash, hex(key), hex(data));
        expect(mac.length).toBe(hashOctets(hash));
        // RFC 4231 case 5 lists a truncated output.
        expect(toHex(mac).slice(0, expected.length)).toBe(expected);
        expect(toHex(prf(hash, new Secret(hex(key)), hex(data).subarray(0, 3), hex(data).subarray(3)))).toBe(
          toHex(mac),
        );
      });
    }
  }
});

describe('Wycheproof HMAC', () => {
  for (const { hash: name, tcId, comment, key, msg, tag, result } of wycheproof.tests) {
    test(`${name} ${tcId} ${comment}`, () => {
      const hash = NAMES.find((known) => known === name) ?? 'sha1';
      expect(constantTimeEqual(prf(hash, hex(key), hex(msg)), hex(tag))).toBe(result === 'valid');
    });
  }
});
