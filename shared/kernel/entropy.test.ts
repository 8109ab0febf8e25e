import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hex } from '../wire/octets.ts';
import { chachaBlock, childSeed, exposed, SEED_OCTETS } from './entropy.ts';
import { InvariantViolation } from './invariant.ts';

const SEED = Uint8Array.from({ length: SEED_OCTETS }, (_, index) => index);

test('RFC 8439 §2.3.2: the ChaCha20 block function', () => {
  // Nonce 00:00:00:09:00:00:00:4a:00:00:00:00, block count 1.
  expect(chachaBlock(SEED, 1, 0x09000000, 0x4a000000)).toEqual(
    hex(`10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e
         d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e`),
  );
});

describe('exposed octets', () => {
  test('are the same for the same seed and purpose, and others otherwise', () => {
    expect(exposed(SEED, 1, 16)).toEqual(exposed(SEED.slice(), 1, 16));
    expect(exposed(SEED, 1, 16)).not.toEqual(exposed(SEED, 2, 16));
    expect(exposed(SEED, 1, 16)).not.toEqual(exposed(childSeed(SEED, 0), 1, 16));
  });

  test('a shorter run is the beginning of a longer one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 256 }), fc.nat(), (length, purpose) => {
        const all = exposed(SEED, purpose, 256);
        expect(exposed(SEED, purpose, length)).toEqual(all.subarray(0, length));
      }),
      { numRuns: 50 },
    );
  });

  test('come in the length asked for, up to 256', () => {
    expect(exposed(SEED, 0, 0)).toHaveLength(0);
    expect(() => exposed(SEED, 0, 257)).toThrow(InvariantViolation);
    expect(() => exposed(SEED, 0, -1)).toThrow(InvariantViolation);
    expect(() => exposed(SEED.subarray(1), 0, 1)).toThrow(InvariantViolation);
  });

  test('children differ from each other and from what is exposed', () => {
    const seen = new Set<string>();
    for (let index = 0; index < 64; index += 1) seen.add(childSeed(SEED, index).join());
    seen.add(exposed(SEED, 0, 32).join());
    expect(seen.size).toBe(65);
  });
});
