import { expect, test } from 'vitest';
import { labOf } from './dial-in.ts';
import { attempt } from './lab/command.ts';
import { startGateway } from './lab/gateway.ts';
import { ADDRESSES } from './lab/network.ts';
import { strongswan } from './lab/strongswan.ts';
import { ping, route } from './lab/traffic.ts';

const lab = labOf('restart', 'auto');

test('the gateway ends when asked and leaves nothing in its namespace', async () => {
  const before = await lab().dialler(1, 'lan', strongswan);
  await before.connect();
  await before.disconnect();
  expect(await lab().gateway.stop()).toBe(true);
  expect(await lab().gateway.sockets('-ul', 'sport = :500 or sport = :4500')).toBe('');
  const { output: links } = await attempt(...lab().network.within('gateway', 'ip', '-brief', 'link'));
  expect([...links.matchAll(/^[^@\s]+/gm)].map(([name]) => name).sort()).toEqual(['inside', 'lo', 'outside']);
  const rules = await attempt(...lab().network.within('gateway', 'nft', 'list', 'ruleset'));
  expect(rules.output).toBe('');
});

test('it starts again over its own state and serves', async () => {
  const again = await startGateway(lab().network, lab().directory, lab().traces.endpoint, lab().changes);
  const dialler = await lab().dialler(1, 'lan', strongswan);
  await dialler.connect();
  await route(dialler.guest);
  expect(await ping(dialler.guest, ADDRESSES.corporate.host)).toBe(5);
  await dialler.disconnect();
  expect(await again.stop()).toBe(true);
});
