import type { Clock } from '@culvert/host';
import { memoryTelemetry } from '@culvert/telemetry';
import { expect, test } from 'vitest';
import { reportWriter } from './reports.ts';

test('who has no key fills no log: ten lines a second of each, all of them counted, none hidden', () => {
  let now = 5000;
  const clock: Clock = { now: () => now, elapsed: () => now, after: () => () => {} };
  const telemetry = memoryTelemetry('ike');
  const write = reportWriter(telemetry, clock);
  const context = { session: '0140000000000001', trace: '' };
  const refused = { type: 'report', what: 'negotiation refused', fields: {} } as const;
  for (let n = 0; n < 500; n += 1) write(refused, context);
  expect(telemetry.lines).toHaveLength(10);
  // Others are not held up by it, and what only an authenticated peer causes is always said.
  for (let n = 0; n < 50; n += 1) write({ ...refused, what: 'ipsec sa established' }, context);
  write({ ...refused, what: 'PSK mismatch likely' }, context);
  expect(telemetry.lines).toHaveLength(61);
  now += 1000;
  write(refused, context);
  expect(telemetry.lines.at(-1)?.fields).toMatchObject({ unsaid: 490 });
  expect(telemetry.counters()['culvert.ike.reports{what=negotiation-refused}']).toBe(501);
});
