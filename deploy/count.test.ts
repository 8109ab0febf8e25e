import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'culvert-count-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function count(files: Readonly<Record<string, string>>): { line: string; status: number | null } {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  const script = join(import.meta.dirname, 'count.ts');
  const { stdout, status } = spawnSync(process.execPath, [script, directory], { encoding: 'utf8' });
  return { line: stdout.trim(), status };
}

const report = (passed: number, failed: number): string =>
  JSON.stringify({ numPassedTests: passed, numFailedTests: failed });

test('adds reports up; a check without one counts as one', () => {
  const checks = 'types passed\nlint passed\nunit passed\n';
  expect(count({ checks, 'unit.json': report(7, 0) })).toEqual({ line: '9 passed, 0 failed', status: 0 });
});

test('a failed check fails the whole', () => {
  const checks = 'types failed\nunit failed\n';
  expect(count({ checks, 'unit.json': report(7, 2) })).toEqual({ line: '7 passed, 3 failed', status: 1 });
});

test('a suite that failed without a failed test counts as a failure', () => {
  expect(count({ checks: 'unit failed\n', 'unit.json': report(7, 0) })).toEqual({
    line: '7 passed, 1 failed',
    status: 1,
  });
});

test('no result is no success', () => {
  expect(count({})).toEqual({ line: '0 passed, 0 failed', status: 1 });
});
