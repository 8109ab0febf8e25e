import { hideAvp, revealAvp } from '@culvert/crypto';
import { describe, expect, test } from 'vitest';

/** accel-ppp 9554ce0: the deciphered inner length of a hidden AVP was taken at face value. */
describe('accel-ppp 9554ce0', () => {
  const secret = new TextEncoder().encode('tunnel secret');
  const key = { type: 9, secret, randomVector: new Uint8Array(16).fill(7) };

  test.each([0, 1, 14, 15, 16, 17, 1008, 0xffff])('inner length %i over a value of 14 octets', (inner) => {
    const hidden = hideAvp(key, new Uint8Array(14).fill(0x41));
    // The first two octets are 14 under a keystream: what is flipped outside is flipped inside.
    hidden[0] = (hidden[0] ?? 0) ^ (inner >>> 8);
    hidden[1] = (hidden[1] ?? 0) ^ 14 ^ (inner & 0xff);
    const value = revealAvp(key, hidden);
    if (inner > 14) expect(value).toBeUndefined();
    else expect(value?.length).toBe(inner);
  });

  test.each([1, 2, 15, 16, 17, 32, 33, 500])(
    'a wrong secret yields no more than was sent: %i octets',
    (length) => {
      const hidden = hideAvp(key, new Uint8Array(length).fill(0x42));
      for (let guess = 0; guess < 64; guess += 1) {
        const wrong = revealAvp({ ...key, secret: Uint8Array.of(guess) }, hidden);
        if (wrong !== undefined) expect(wrong.length).toBeLessThanOrEqual(hidden.length - 2);
      }
      expect(revealAvp(key, hidden)).toEqual(new Uint8Array(length).fill(0x42));
    },
  );

  test.each([0, 1, 1018])('%i octets hold no subformat', (length) => {
    expect(revealAvp(key, new Uint8Array(length))).toBeUndefined();
  });
});
