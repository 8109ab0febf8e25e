import { beforeAll, describe, expect, test } from 'vitest';
import { buildFuzz, FUZZ_TARGETS } from '../build.ts';
import { corpusOf, explained, fuzz } from './main.ts';

const SECONDS = Number(process.env.CULVERT_FUZZ_NATIVE_SECONDS ?? '10');
/** Compiling everything with sanitizers, on a small machine. */
const BUILD_MS = 400_000;

beforeAll(async () => {
  await buildFuzz();
}, BUILD_MS);

describe.each(FUZZ_TARGETS)('%s', (target) => {
  test('nothing in the corpus, and nothing near it, breaks the engine', {
    timeout: SECONDS * 1000 + 120_000,
  }, () => {
    expect(corpusOf(target).length).toBeGreaterThan(20);
    const run = fuzz(target, SECONDS);
    if (!run.ok) process.stderr.write(`${run.said}\n`);
    expect(run.ok, explained(target, run)).toBe(true);
  });
});
