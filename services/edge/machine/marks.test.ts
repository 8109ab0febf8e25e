import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buckets } from '@culvert/contracts';
import type { Clock } from '@culvert/host';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SessionReport } from '../pipeline/index.ts';
import { openMarks } from './marks.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'culvert-marks-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

let now = 1_000_000;
/** Nothing is due before the test stops the marks, which writes. */
const clock: Clock = { now: () => now, elapsed: () => now, after: () => () => {} };
const open = () =>
  openMarks(directory, clock, (error) => {
    throw error;
  });
const report = (session: string, inboundSpi: number, top: number): SessionReport => ({
  session,
  octetsIn: 0,
  octetsOut: 0,
  packetsIn: 0,
  packetsOut: 0,
  accounting: [],
  drops: 0,
  sas: 1,
  links: 0,
  windows: [{ inboundSpi, outboundSpi: inboundSpi + 1, top }],
});
const A = '0140000000000001';
const B = '0140000000000002';

test('what was heard is known after a restart; what has ended is not', async () => {
  const first = await open();
  expect(first.past.size).toBe(0);
  first.heard([report(A, 0xf140_0100, 5), report(B, 0xf140_0200, 0xffff_ffff)]);
  first.heard([report(A, 0xf140_0100, 9)]);
  await first.stop();
  expect(statSync(join(directory, 'edge-marks')).mode & 0o777).toBe(0o600);
  const second = await open();
  expect([...second.past]).toEqual([
    [0xf140_0100, { outboundSpi: 0xf140_0101, top: 9, next: 0 }],
    [0xf140_0200, { outboundSpi: 0xf140_0201, top: 0xffff_ffff, next: 0 }],
  ]);
  second.heard([report(A, 0xf140_0100, 10)]);
  second.declared({ session: A, bucket: buckets.ike, entries: [] });
  await second.stop();
  // B has said nothing yet: it is carried on.
  expect([...(await open()).past.keys()]).toEqual([0xf140_0200]);
});

test('what nobody speaks of any more is let go in the end', async () => {
  const first = await open();
  first.heard([report(A, 0x140_0100, 5)]);
  await first.stop();
  const second = await open();
  now += 301_000;
  second.heard([report(B, 0x140_0200, 1)]);
  await second.stop();
  expect([...(await open()).past.keys()]).toEqual([0x140_0200]);
});

test('half a file is read as far as it goes', async () => {
  writeFileSync(join(directory, 'edge-marks'), new Uint8Array(17).fill(1));
  expect((await open()).past.size).toBe(1);
});
