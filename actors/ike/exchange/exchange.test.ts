import type { FragmentPayload } from '@culvert/wire/ike';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { REASSEMBLY_MS, type Reassembly, reassemble } from './reassembly.ts';
import {
  answered,
  concluded,
  duplicateOf,
  EXCHANGES_MAX,
  exchangeOf,
  hasSeen,
  NO_EXCHANGES,
  SEEN_MAX,
  withBegun,
  withSeen,
} from './table.ts';

const exchange = (messageId: number, request: string) => ({
  messageId,
  request,
  to: '198.51.100.7|500',
  answer: Uint8Array.of(messageId),
  iv: new Uint8Array(0),
});

describe('exchanges by Message ID (RFC 2408 §3.1)', () => {
  test('a duplicate is known by its octets, a new question replaces the old one', () => {
    const one = answered(NO_EXCHANGES, exchange(7, 'first'));
    expect(duplicateOf(one, 7, 'first')?.answer).toEqual(Uint8Array.of(7));
    expect(duplicateOf(one, 7, 'other')).toBeUndefined();
    expect(duplicateOf(one, 8, 'first')).toBeUndefined();
    const two = answered(one, exchange(7, 'second'));
    expect(duplicateOf(two, 7, 'first')).toBeUndefined();
    expect(two.exchanges).toHaveLength(1);
    expect(exchangeOf(concluded(two, 7), 7)).toBeUndefined();
  });

  test('both lists are bounded, the oldest goes first', () => {
    let table = NO_EXCHANGES;
    for (let id = 0; id < 1000; id += 1) table = withSeen(answered(table, exchange(id, 'x')), id);
    expect(table.exchanges.map(({ messageId }) => messageId)).toEqual([996, 997, 998, 999]);
    expect(table.exchanges).toHaveLength(EXCHANGES_MAX);
    expect(table.seen).toHaveLength(SEEN_MAX);
    expect([hasSeen(table, 0), hasSeen(table, 999)]).toEqual([false, true]);
  });

  test('a Quick Mode stays used, whatever else was seen since', () => {
    let table = withBegun(NO_EXCHANGES, 5);
    for (let id = 10; id < 1000; id += 1) table = withSeen(table, id);
    expect(hasSeen(table, 5)).toBe(true);
    for (let id = 1000; id < 2000; id += 1) table = withBegun(table, id);
    expect(table.begun).toHaveLength(SEEN_MAX);
  });
});

const fragment = (number: number, last: boolean, data: readonly number[], id = 1): FragmentPayload => ({
  kind: 'FRAGMENT',
  id,
  number,
  last,
  data: Uint8Array.from(data),
});

function feed(fragments: readonly FragmentPayload[], at = 0) {
  let reassembly: Reassembly | undefined;
  for (const one of fragments) {
    const outcome = reassemble(reassembly, one, at);
    if (outcome.state !== 'waiting') return outcome;
    reassembly = outcome.reassembly;
  }
  return { state: 'waiting' as const, reassembly };
}

describe('fragments', () => {
  test('in any order, with duplicates: the message', () => {
    const whole = fc.uint8Array({ minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(whole, fc.integer({ min: 5, max: 100 }), fc.integer(), (message, size, seed) => {
        const count = Math.ceil(message.length / size);
        const parts = Array.from({ length: count }, (_, index) =>
          fragment(index + 1, index === count - 1, [...message.subarray(index * size, (index + 1) * size)]),
        );
        const order = [...parts, ...parts].map((part, index) => ({
          part,
          key: Math.imul(seed ^ (index + 1), 0x9e3779b1) >>> 0,
        }));
        const outcome = feed(order.sort((a, b) => a.key - b.key).map(({ part }) => part));
        expect(outcome.state === 'whole' ? [...outcome.message] : outcome.state).toEqual([...message]);
      }),
    );
  });

  const refused: readonly [string, readonly FragmentPayload[]][] = [
    ['two ends', [fragment(3, true, [1]), fragment(4, true, [2])]],
    ['one behind the end', [fragment(2, true, [1]), fragment(3, false, [2])]],
    ['an end before one that is there', [fragment(5, false, [1]), fragment(3, true, [2])]],
    ['the same number with other octets', [fragment(2, false, [1]), fragment(2, false, [2])]],
    ['the same number with other length', [fragment(2, false, [1]), fragment(2, false, [1, 1])]],
  ];
  for (const [name, fragments] of refused) {
    test(`refused: ${name}`, () =>
      expect(feed(fragments)).toEqual({ state: 'refused', reason: 'fragment-conflict' }));
  }

  test('more than 64 KiB', () => {
    const big = new Array<number>(30_000).fill(1);
    const outcome = feed([fragment(1, false, big), fragment(2, false, big), fragment(3, false, big)]);
    expect(outcome).toEqual({ state: 'refused', reason: 'fragment-limit' });
  });

  test('another ID starts over, and so does age', () => {
    const other = feed([fragment(1, false, [1], 1), fragment(2, true, [2], 2)]);
    expect(other.state).toBe('waiting');
    const started = feed([fragment(1, false, [1])]);
    const late = reassemble(
      started.state === 'waiting' ? started.reassembly : undefined,
      fragment(2, true, [2]),
      REASSEMBLY_MS + 1,
    );
    expect(late.state).toBe('waiting');
  });
});
