import { expect, test } from 'vitest';
import { labOf } from '../dial-in.ts';
import { faults } from './judge.ts';
import { soak } from './rekey.ts';

// With it, each service collects its garbage before its memory is looked at.
process.env.NODE_OPTIONS = '--expose-gc';
const lab = labOf('rekey', 'openssl', { telemetry: { logLevel: 'info' } });

test('SAs are renewed every two seconds under load, and nothing is lost or left', async () => {
  const outcome = await soak(lab(), { rekeys: 10, clients: 2 });
  expect(outcome.quickModes).toBeGreaterThanOrEqual(10);
  expect(faults(outcome)).toEqual([]);
});
