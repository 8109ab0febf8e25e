import { type Reassembled, type Reassembly, reassemble } from '@culvert/actors-ike';
import { ISAKMP_LIMITS } from '@culvert/wire/ike';
import { describe, expect, test } from 'vitest';

/**
 * CVE-2016-10396, algorithmic complexity: fragments in the worst order made a list walk cubic. What is
 * counted here is how often the kept parts are looked at; time would depend on the machine.
 */
const COUNT = ISAKMP_LIMITS.fragmentsMax;

/** Looks at `parts` per fragment, and the octets held after each. */
function costs(numbers: readonly number[], id: (index: number) => number, lastNumber = COUNT) {
  const looks: number[] = [];
  const held: number[] = [];
  let before: Reassembly | undefined;
  for (const [index, number] of numbers.entries()) {
    let looked = 0;
    const counted: ProxyHandler<Reassembly['parts']> = {
      get(target, key, receiver) {
        looked += 1;
        return Reflect.get(target, key, receiver) as unknown;
      },
      getOwnPropertyDescriptor(target, key) {
        looked += 1;
        return Reflect.getOwnPropertyDescriptor(target, key);
      },
    };
    const watched = before && { ...before, parts: new Proxy({ ...before.parts }, counted) };
    const data = new Uint8Array(500).fill(number);
    const fragment = { kind: 'FRAGMENT', id: id(index), number, last: number === lastNumber, data } as const;
    const outcome: Reassembled = reassemble(watched, fragment, 0);
    looks.push(looked);
    before = outcome.state === 'waiting' ? outcome.reassembly : undefined;
    held.push(Object.values(before?.parts ?? {}).reduce((sum, part) => sum + part.length, 0));
  }
  return { most: Math.max(...looks), total: looks.reduce((sum, one) => sum + one, 0), held };
}

const upwards = Array.from({ length: COUNT }, (_, index) => index + 1);
const inwards = upwards.map((_, index) => (index % 2 === 0 ? 1 + index / 2 : COUNT - (index - 1) / 2));

describe('however the fragments of one message are ordered', () => {
  test.each([
    ['upwards', upwards],
    ['downwards', upwards.toReversed()],
    ['from both ends', inwards],
    ['each of them many times', upwards.flatMap((number) => new Array<number>(20).fill(number))],
    ['the last one again and again', new Array<number>(2000).fill(COUNT)],
  ])('%s: the work for one is bounded by the most there may be', (_, numbers) => {
    const { most, held } = costs(numbers, () => 1);
    expect(most).toBeLessThanOrEqual(4 * COUNT);
    expect(Math.max(...held)).toBeLessThanOrEqual(ISAKMP_LIMITS.fragmentedOctetsMax);
  });
});

test('ten times as many fragments under ever new IDs are ten times the work, and no more memory', () => {
  const many = (count: number) => costs(new Array<number>(count).fill(7), (index) => index & 0xffff);
  const [few, more] = [many(1000), many(10_000)];
  expect(more.total).toBeLessThanOrEqual(11 * (few.total + 1000));
  expect(Math.max(...more.held)).toBe(500);
});
