import { expect, test } from 'vitest';
import { labOf } from './dial-in.ts';
import { until } from './lab/command.ts';
import { ADDRESSES } from './lab/network.ts';
import { strongswan } from './lab/strongswan.ts';
import { ping, route } from './lab/traffic.ts';

const lab = labOf('vanish', 'auto');

test('a client that vanishes is cleaned up', async () => {
  const dialler = await lab().dialler(1, 'lan', strongswan);
  await dialler.connect();
  expect(await lab().sessions()).toBe(1);
  await dialler.guest.kill();
  // Three LCP Echo-Requests 5 s apart go unanswered; then L2TP and IKE say farewell to nobody.
  await until(
    'the session to end',
    90_000,
    async () => ((await lab().sessions()) === 0 ? true : undefined),
    1_000,
  );
});

test('after a power cut a client comes back from the same address at once', async () => {
  const before = await lab().dialler(1, 'outside', strongswan);
  await before.connect();
  await before.guest.kill();
  const after = await lab().dialler(1, 'outside', strongswan);
  await after.connect();
  await route(after.guest);
  expect(await ping(after.guest, ADDRESSES.corporate.host)).toBe(5);
  await until(
    'one session to be left',
    90_000,
    async () => ((await lab().sessions()) === 1 ? true : undefined),
    1_000,
  );
});
