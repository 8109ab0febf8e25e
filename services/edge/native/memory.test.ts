import { expect, test } from 'vitest';
import { occupied } from './memory.fixture.ts';

const SESSIONS = 20_000;
const OCTETS_MAX = 2_048;

test('many sessions take little memory each, and no more time the more there are', {
  timeout: 120_000,
}, () => {
  const { octets, milliseconds, sessions } = occupied(SESSIONS);
  process.stderr.write(`an SA pair with its session, call and link: ${Math.round(octets)} octets, `);
  process.stderr.write(
    `declared in ${milliseconds.map((ms) => Math.round(ms * 1000)).join(', ')} microseconds\n`,
  );
  expect(sessions).toBe(SESSIONS);
  expect(octets).toBeLessThan(OCTETS_MAX);
  expect(Math.max(...milliseconds)).toBeLessThan(10 * Math.min(...milliseconds) + 0.05);
});
