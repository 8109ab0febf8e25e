import { expect, test } from 'vitest';
import { labOf } from './dial-in.ts';
import type { Dialler } from './lab/client.ts';
import { until } from './lab/command.ts';
import { ADDRESSES } from './lab/network.ts';
import { strongswan } from './lab/strongswan.ts';
import { ping, route } from './lab/traffic.ts';

const lab = labOf('crash', 'openssl');
let dialler: Dialler;

test('a client dials in', async () => {
  dialler = await lab().dialler(1, 'lan', strongswan);
  await dialler.connect();
  await route(dialler.guest);
  expect(await ping(dialler.guest, ADDRESSES.corporate.host)).toBe(5);
});

for (const service of ['ike', 'l2tp', 'ppp', 'aaa'] as const) {
  test(`its session outlives a crash of ${service}`, async () => {
    const pid = await lab().gateway.pid(service);
    process.kill(pid, 'SIGKILL');
    // Established sessions keep forwarding, whoever is away.
    expect(await ping(dialler.guest, ADDRESSES.corporate.host)).toBe(5);
    await until(`${service} to be back`, 30_000, async () => {
      const now = await lab()
        .gateway.pid(service)
        .catch(() => pid);
      return now === pid ? undefined : now;
    });
    expect(await ping(dialler.guest, ADDRESSES.corporate.host)).toBe(5);
    expect(await lab().sessions()).toBe(1);
  });
}

test('it ends in order after all of them, and begins anew', async () => {
  await dialler.disconnect();
  await until('the session to end', 30_000, async () => ((await lab().sessions()) === 0 ? true : undefined));
  await dialler.connect();
  await route(dialler.guest);
  expect(await ping(dialler.guest, ADDRESSES.corporate.host)).toBe(5);
});
