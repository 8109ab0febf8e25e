/**
 * The two packet engines do the same with everything that a client, a network and the services can send.
 *
 * CULVERT_DIFFERENTIAL_PACKETS: how many packets; CULVERT_DIFFERENTIAL_SEED: the seed of the first history.
 */

import { describe, expect, test } from 'vitest';
import { createNativeEngine } from '../../services/edge/native/engine/index.ts';
import { createEngine } from '../../services/edge/pipeline/index.ts';
import { differenceIn, type EngineMaker, explained, IDENTITY, type Pair, same, shrunk } from './compare.ts';
import { createCoverage } from './coverage.ts';
import { FAULTS } from './faults.ts';
import { createLaws } from './laws.ts';
import { historyOf } from './world.ts';

const { CULVERT_DIFFERENTIAL_PACKETS, CULVERT_DIFFERENTIAL_SEED } = process.env;
const PACKETS = Number.parseInt(CULVERT_DIFFERENTIAL_PACKETS ?? '30000', 10);
const SEED = Number.parseInt(CULVERT_DIFFERENTIAL_SEED ?? '1', 10) >>> 0;
const STEPS = 2000;
const TIMEOUT_MS = CULVERT_DIFFERENTIAL_PACKETS === undefined ? 120_000 : 24 * 60 * 30_000;
/** Enough for what is rare to have happened. */
const ALL_REACHED = 30_000;
const SAID_EVERY = 100_000;

const native =
  (backend: string): EngineMaker =>
  (options) =>
    createNativeEngine({ ...options, identity: IDENTITY, backend });
/** The native engine seals what a call makes at its end, so that kinds of output have no order among them. */
const nativePair = (backend: string, batched: boolean): Pair => ({
  reference: createEngine,
  other: native(backend),
  batched,
  orderWithinKinds: true,
});

describe('reference and native engine', () => {
  test.each([
    ['packet by packet', nativePair('', false)],
    ['in batches', nativePair('', true)],
    ['in batches, with OpenSSL', nativePair('openssl', true)],
  ] as const)(
    '%s',
    (name, pair) => {
      const coverage = createCoverage();
      const laws = createLaws();
      const start = performance.now();
      let said = 0;
      for (let seed = SEED; coverage.packets < PACKETS; seed = (seed + 1) >>> 0) {
        const history = historyOf(seed, STEPS);
        const found = differenceIn(pair, history, coverage, ...(pair.batched ? [] : [laws]));
        expect(laws.broken, `seed ${seed}`).toEqual([]);
        expect(found && explained(pair, history, found)).toBe(undefined);
        if (coverage.packets - said < SAID_EVERY) continue;
        said = coverage.packets;
        const perSecond = Math.round((said * 1000) / (performance.now() - start));
        process.stderr.write(`${name}: ${said} packets, ${perSecond} per second, next seed ${seed + 1}\n`);
      }
      if (CULVERT_DIFFERENTIAL_PACKETS !== undefined) process.stderr.write(`${name}: ${coverage.table()}\n`);
      if (pair.batched !== true && PACKETS >= ALL_REACHED) expect(coverage.missing()).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

describe('the comparison itself', () => {
  const HISTORIES_MAX = 40;

  const first = (faulty: EngineMaker) => {
    const pair = { reference: createEngine, other: faulty };
    for (let seed = 1; seed <= HISTORIES_MAX; seed += 1) {
      const history = historyOf(seed, STEPS);
      const found = differenceIn(pair, history);
      if (found !== undefined) return { pair, history, found };
    }
    return undefined;
  };

  test.each(Object.entries(FAULTS))('finds that %s', (_name, faulty) => {
    const what = first(faulty)?.found.what;
    expect(what).toBeDefined();
    // The reference's own fault would hide whether the planted one was seen.
    expect(what).not.toBe('fault');
  });

  test('cuts a history down to the steps that it takes', () => {
    const met = first(FAULTS['a moved client is not followed'] ?? createEngine);
    if (met === undefined) throw new Error('no difference to cut down');
    const least = shrunk(met.pair, met.history, met.found);
    expect(differenceIn(met.pair, least)).toBeDefined();
    expect(least.steps.length).toBeLessThan(8);
    expect(explained(met.pair, met.history, met.found)).toContain(`seed ${met.history.seed}, step`);
  });

  test('has the same history for the same seed', () => {
    expect(same(historyOf(5, 600), historyOf(5, 600))).toBe(true);
    expect(same(historyOf(5, 600), historyOf(6, 600))).toBe(false);
  });
});
