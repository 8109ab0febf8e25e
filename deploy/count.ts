/**
 * Adds up the results that `deploy/test` left behind and closes with `N passed, N failed`.
 *
 *   node deploy/count.ts DIRECTORY
 *
 * A check without a Vitest report (types, lint, tidy) counts as one test, as does a suite that failed
 * without a failed test in it: a file that did not load, or a report that was never written.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
}

const directory = process.argv[2] ?? '.cache/test';
let passed = 0;
let failed = 0;

function read(name: string): string | undefined {
  try {
    return readFileSync(join(directory, name), 'utf8');
  } catch {
    return undefined;
  }
}

for (const line of (read('checks') ?? '').split('\n').filter(Boolean)) {
  const [name, verdict] = line.split(' ');
  const text = read(`${name}.json`);
  if (text === undefined) {
    if (verdict === 'passed') passed++;
    else failed++;
    continue;
  }
  const report = JSON.parse(text) as Report;
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  if (verdict === 'failed' && report.numFailedTests === 0) failed++;
}

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = passed > 0 && failed === 0 ? 0 : 1;
