import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Secret } from '../crypto/index.ts';
import { decode, encode, NotPlainData } from './codec.ts';

describe('the codec', () => {
  test('gives back what it was given', () => {
    const scalar = fc.oneof(
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noInteger: true }),
      fc.uint8Array({ maxLength: 40 }),
    );
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        scalar,
        fc.array(tie('value'), { maxLength: 5 }),
        fc.dictionary(
          fc.string({ maxLength: 8 }).filter((name) => name !== '__proto__'),
          tie('value'),
          { maxKeys: 5, noNullPrototype: true },
        ),
      ),
    }));
    fc.assert(
      fc.property(value, (given) => {
        expect(decode(encode(given))).toEqual(given);
      }),
      { numRuns: 300 },
    );
  });

  test('octets come back as own plain Uint8Arrays, whatever they were views of', () => {
    const received = Buffer.concat([
      Buffer.alloc(8),
      encode({ a: Buffer.from([1, 2]), b: new Uint8Array(9).subarray(3, 5) }),
    ]);
    const { a, b } = decode(received.subarray(8)) as { a: Uint8Array; b: Uint8Array };
    for (const octets of [a, b]) {
      expect(Object.getPrototypeOf(octets)).toBe(Uint8Array.prototype);
      expect(octets.buffer.byteLength).toBe(2);
    }
    expect([a, b]).toEqual([Uint8Array.of(1, 2), Uint8Array.of(0, 0)]);
  });

  const refused: Record<string, unknown> = {
    'a secret': Secret.fromText('hunter2'),
    'a secret deep inside': { list: [{ key: Secret.fromText('hunter2') }] },
    'a Map': new Map(),
    'a Set': new Set(),
    'a Date': new Date(0),
    'an Error': new Error('x'),
    'a function': () => 1,
    'a symbol': Symbol('x'),
    'a bigint': 1n,
    'an integer that lost digits': 2 ** 53,
    'a typed array of other than octets': Uint16Array.of(1),
    'a subclass of Uint8Array': new (class Key extends Uint8Array {})(4),
  };
  test.each(Object.entries(refused))('refuses %s', (_name, value) => {
    expect(() => encode({ value })).toThrow(NotPlainData);
  });

  test('refuses what is nested without end', () => {
    const ring: { self?: unknown } = {};
    ring.self = ring;
    expect(() => encode(ring)).toThrow(NotPlainData);
  });

  test('foreign octets throw or give plain data, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        let value: unknown;
        try {
          value = decode(octets);
        } catch {
          return;
        }
        expect(() => encode(value)).not.toThrow();
      }),
      { numRuns: 2000 },
    );
    expect(() => decode(Uint8Array.of(0xc1))).toThrow();
    expect(() => decode(new Uint8Array(5000).fill(0x91))).toThrow();
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
