import { encode } from '@culvert/bus';
import { buckets } from '@culvert/contracts';
import { describe, expect, test } from 'vitest';
import { inWorld, simProcess, type World } from '../../../test/sim/index.ts';
import { type Block, createSequences, type Sa, type Sequences, sequenceKey } from './sequences.ts';

const SA: Sa = { session: '0123456789abcdef', inboundSpi: 0x1000, outboundSpi: 0x2000 };

async function opened(world: World): Promise<{ readonly sequences: Sequences; readonly granted: Block[] }> {
  const { bus, clock } = simProcess('edge', world);
  const granted: Block[] = [];
  const bucket = await world.promised(bus.bucket(buckets.sequences));
  const sequences = createSequences({
    bucket,
    clock,
    granted: (_, block) => granted.push(block),
    failed: (_, error) => expect.fail(String(error)),
  });
  return { sequences, granted };
}

const kept = (world: World) =>
  world.broker.store(buckets.sequences).entries.get(sequenceKey(SA))?.value !== undefined;

describe('the reservation of an SA that is gone goes too', () => {
  test('while storage is away: once it is back', () =>
    inWorld({ seed: 1 }, async (world) => {
      const { sequences, granted } = await opened(world);
      sequences.want(SA);
      await world.run(100);
      expect(granted).toHaveLength(1);
      world.broker.storage.away = true;
      sequences.forget(SA);
      await world.run(30_000);
      expect(kept(world)).toBe(true);
      world.broker.storage.away = false;
      await world.run(10_000);
      expect(kept(world)).toBe(false);
    }));

  test('when its deletion is lost', () =>
    inWorld({ seed: 2 }, async (world) => {
      const { sequences } = await opened(world);
      sequences.want(SA);
      await world.run(100);
      world.broker.storage.lostWrite = 1;
      sequences.forget(SA);
      await world.run(1_000);
      world.broker.storage.lostWrite = 0;
      await world.run(20_000);
      expect(kept(world)).toBe(false);
    }));

  test('when it was made, but nobody heard of it before the SA went', () =>
    inWorld({ seed: 3 }, async (world) => {
      const { sequences, granted } = await opened(world);
      world.broker.storage.unheardWrite = 1;
      sequences.want(SA);
      await world.run(1_000);
      sequences.forget(SA);
      world.broker.storage.unheardWrite = 0;
      await world.run(20_000);
      expect(granted).toEqual([]);
      expect(kept(world)).toBe(false);
    }));

  test('when it lands after the SA went', () =>
    inWorld({ seed: 5 }, async (world) => {
      const { sequences } = await opened(world);
      world.broker.storage.lateWrite = 1;
      sequences.want(SA);
      await world.run(1_000);
      sequences.forget(SA);
      world.broker.storage.lateWrite = 0;
      await world.run(20_000);
      expect(kept(world)).toBe(false);
    }));
});

test('what an earlier start left behind goes, when storage is away and when it lands late', () =>
  inWorld({ seed: 6 }, async (world) => {
    const before = simProcess('edge', world);
    const bucket = await world.promised(before.bus.bucket(buckets.sequences));
    await world.promised(bucket.create('1.left.1', new Uint8Array(1)));
    await world.promised(bucket.create(sequenceKey(SA), new Uint8Array(1)));
    const { sequences } = await opened(world);
    world.broker.storage.away = true;
    sequences.sweep(() => new Set([sequenceKey(SA)]));
    await world.run(5_000);
    world.broker.storage.away = false;
    await world.run(10_000);
    await world.promised(bucket.create('1.late.1', new Uint8Array(1)));
    await world.run(120_000);
    const { entries } = world.broker.store(buckets.sequences);
    const left = [...entries.values()].filter(({ value }) => value !== undefined).map(({ key }) => key);
    expect(left).toEqual([sequenceKey(SA)]);
  }));

test('an SA that comes again under the same SPI keeps its numbers, however late the deletion lands', () =>
  inWorld({ seed: 4 }, async (world) => {
    const { sequences, granted } = await opened(world);
    sequences.want(SA);
    await world.run(100);
    world.broker.storage.lateWrite = 1;
    sequences.forget(SA);
    await world.run(10);
    world.broker.storage.lateWrite = 0;
    sequences.want(SA);
    await world.run(30_000);
    expect(kept(world)).toBe(true);
    sequences.want(SA);
    await world.run(100);
    const numbers = granted.map(({ first }) => first);
    expect(new Set(numbers).size).toBe(3);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  }));

describe('the end of the numbers', () => {
  const last = async (world: World, sa: Sa, end: number) => {
    const { sequences, granted } = await opened(world);
    sequences.want(sa);
    await world.run(100);
    const bucket = await world.promised(simProcess('edge', world).bus.bucket(buckets.sequences));
    const entry = await world.promised(bucket.get(sequenceKey(sa)));
    await world.promised(bucket.update(sequenceKey(sa), encode({ end: end - 5 }), entry?.revision ?? 0));
    for (let count = 0; count < 2; count += 1) {
      sequences.want(sa);
      await world.run(100);
    }
    return granted.slice(1);
  };

  test('is 2^32', () =>
    inWorld({ seed: 7 }, async (world) => {
      const end = 2 ** 32;
      expect(await last(world, SA, end)).toEqual([
        { first: end - 5, end },
        { first: end, end },
      ]);
    }));

  test('with extended numbers, what a number counts', () =>
    inWorld({ seed: 8 }, async (world) => {
      const end = Number.MAX_SAFE_INTEGER;
      expect(await last(world, { ...SA, esn: true }, end)).toEqual([
        { first: end - 5, end },
        { first: end, end },
      ]);
    }));
});
