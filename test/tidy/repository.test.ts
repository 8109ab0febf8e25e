import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { RULES } from './rules/index.ts';
import { readTree } from './tree.ts';

describe('this repository', () => {
  const tree = readTree(fileURLToPath(new URL('../../', import.meta.url)));

  test.each(RULES.map((rule) => [rule.name, rule] as const))('keeps the rule %s', (_name, rule) => {
    expect(rule.check(tree).map(({ path, line, problem }) => `${path}:${line} ${problem}`)).toEqual([]);
  });

  test('is seen as a whole', () => {
    expect(tree.sources.length).toBeGreaterThan(100);
    expect(tree.texts.has('package-lock.json')).toBe(true);
  });
});
