import { be16, concat, hex, toHex } from '@culvert/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hideAvp, revealAvp, tunnelAuthResponse, verifyTunnelAuthResponse } from './hidden-avp.ts';
import { md5 } from './md5.ts';

const ascii = (text: string) => new TextEncoder().encode(text);
const key = {
  secret: ascii('tunnel-secret'),
  type: 9,
  randomVector: hex('000102030405060708090a0b0c0d0e0f'),
};

/** RFC 2661 §4.3 on a subformat given octet by octet, so that its length field may lie. */
function hiddenSubformat(plain: Uint8Array): Uint8Array {
  const out = new Uint8Array(plain.length);
  let pad = md5(be16(key.type), key.secret, key.randomVector);
  for (let offset = 0; offset < plain.length; offset += 16) {
    const block = plain.subarray(offset, offset + 16).map((octet, index) => octet ^ (pad[index] ?? 0));
    out.set(block, offset);
    pad = md5(key.secret, block);
  }
  return out;
}

describe('RFC 2661 §4.3', () => {
  test('four blocks, five octets of padding, against an independent computation', () => {
    const value = ascii('an attribute value longer than sixteen octets');
    const hidden = hex(
      'd8ecf9e917bb14b78f873cc7c2216ece9b1150c90ee950fa68b3838b661e70aa4a7886d4e346454de7284c6f2cf4c499de4b2b43',
    );
    expect(toHex(hideAvp(key, value, new Uint8Array(5).fill(0xaa)))).toBe(toHex(hidden));
    expect(revealAvp(key, hidden)).toEqual(value);
  });

  test('what was hidden is revealed, at every length and with any padding', () => {
    const octets = (max: number) => fc.uint8Array({ maxLength: max });
    fc.assert(
      fc.property(
        octets(900),
        octets(100),
        octets(64),
        octets(64),
        fc.nat(0xffff),
        (value, padding, secret, vector, type) => {
          const hiding = { secret, type, randomVector: vector };
          const hidden = hideAvp(hiding, value, padding);
          expect(hidden.length).toBe(2 + value.length + padding.length);
          expect(revealAvp(hiding, hidden)).toEqual(value);
        },
      ),
    );
  });

  test('a value that would not fit the AVP Length is our own fault', () => {
    expect(hideAvp(key, new Uint8Array(1015)).length).toBe(1017);
    expect(() => hideAvp(key, new Uint8Array(1016))).toThrow(RangeError);
  });
});

describe('hostile lengths inside', () => {
  const rows: readonly (readonly [string, Uint8Array, Uint8Array | undefined])[] = [
    ['nothing at all', new Uint8Array(), undefined],
    ['half a length', hex('00'), undefined],
    ['zero, nothing after', hex('0000'), new Uint8Array()],
    ['zero, padding only', hex('0000ffffffff'), new Uint8Array()],
    ['one, nothing after', hex('0001'), undefined],
    ['fits exactly', hex('0003aabbcc'), hex('aabbcc')],
    ['one too many', hex('0004aabbcc'), undefined],
    ['64K', hex('ffffaabbcc'), undefined],
    ['64K in one octet', hex('ffff'), undefined],
    ['32K', hex('8000aabbcc'), undefined],
    ['16 octets, one too many', concat(hex('000f'), new Uint8Array(14)), undefined],
    ['16 octets, exact', concat(hex('000e'), new Uint8Array(14)), new Uint8Array(14)],
    ['17 octets, into the second block', concat(hex('000f'), new Uint8Array(15)), new Uint8Array(15)],
    ['several blocks, one too many', concat(hex('0040'), new Uint8Array(63)), undefined],
    ['largest AVP', concat(be16(1015), new Uint8Array(1015)), new Uint8Array(1015)],
    ['beyond any AVP', concat(be16(1016), new Uint8Array(1016)), undefined],
  ];
  for (const [name, subformat, expected] of rows) {
    test(name, () => expect(revealAvp(key, hiddenSubformat(subformat))).toEqual(expected));
  }

  test('any octets, right or wrong secret: a value within bounds or none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1200 }), fc.uint8Array({ maxLength: 40 }), (octets, secret) => {
        const value = revealAvp({ ...key, secret }, octets);
        expect(value === undefined || value.length <= octets.length - 2).toBe(true);
      }),
    );
  });
});

test('RFC 2661 §4.4.3 Challenge Response', () => {
  const challenge = key.randomVector;
  const response = tunnelAuthResponse(2, key.secret, challenge);
  expect(toHex(response)).toBe('6c0da2faf7a397aa3f88f55061ea9134');
  expect(verifyTunnelAuthResponse(2, key.secret, challenge, response)).toBe(true);
  expect(verifyTunnelAuthResponse(3, key.secret, challenge, response)).toBe(false);
  expect(verifyTunnelAuthResponse(2, key.secret, challenge, response.subarray(1))).toBe(false);
  expect(verifyTunnelAuthResponse(2, ascii('other'), challenge, response)).toBe(false);
});
