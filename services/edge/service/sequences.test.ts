import { expect, test } from 'vitest';
import { createWorld, inWorld, simProcess } from '../../../test/sim/index.ts';
import { SEQUENCE_BLOCK, SEQUENCE_END } from '../pipeline/index.ts';
import { type Block, createSequences, type Sa, sequenceKey } from './sequences.ts';

const SA: Sa = { session: '0140000000000001', inboundSpi: 0x0140_0100, outboundSpi: 0x9000_0001 };

test('blocks never overlap, whatever storage answers and however many ask', () =>
  inWorld({}, async (world) => {
    world.broker.storage.unheardWrite = 0.3;
    const blocks: Block[] = [];
    const nodes = await Promise.all(
      ['a', 'b'].map(async (name) => {
        const process = simProcess(name, world);
        const bucket = await world.promised(process.bus.bucket('culvert_sequences'));
        const granted = (_: Sa, block: Block) => blocks.push(block);
        return createSequences({
          bucket,
          clock: process.clock,
          granted,
          failed: (_, error) => expect(error).toBeUndefined(),
        });
      }),
    );
    for (let round = 0; round < 20; round += 1) {
      for (const node of nodes) node.want(SA);
      await world.run(10_000);
    }
    expect(blocks.length).toBeGreaterThan(30);
    const sorted = blocks.toSorted((a, b) => a.first - b.first);
    for (const [index, block] of sorted.entries()) {
      expect(block.end - block.first).toBe(SEQUENCE_BLOCK);
      expect(block.first).toBeGreaterThanOrEqual(sorted[index - 1]?.end ?? 1);
      expect(block.end).toBeLessThanOrEqual(SEQUENCE_END);
    }
  }));

test('at the end of the number space an empty block is granted, and a forgotten SA leaves no key', async () => {
  const world = createWorld({ seed: 3 });
  const process = simProcess('a', world);
  const bucket = await world.promised(process.bus.bucket('culvert_sequences'));
  const blocks: Block[] = [];
  const granted = (_: Sa, block: Block) => blocks.push(block);
  const sequences = createSequences({ bucket, clock: process.clock, granted, failed: () => {} });
  for (let round = 0; round < 258; round += 1) {
    sequences.want(SA);
    await world.run(100);
  }
  expect(blocks.at(-2)).toMatchObject({ end: SEQUENCE_END });
  expect(blocks.at(-1)).toEqual({ first: SEQUENCE_END, end: SEQUENCE_END });
  sequences.want(SA);
  sequences.forget(SA);
  await world.run(1_000);
  expect((await world.promised(bucket.get(sequenceKey(SA))))?.value).toBeUndefined();
  await process.bus.close();
});
