import { expect, test } from 'vitest';
import { labOf } from './dial-in.ts';
import type { Connection, Dialler } from './lab/client.ts';
import { attempt } from './lab/command.ts';
import { IPERF_PORTS } from './lab/corporate.ts';
import { TRANSFER_SECONDS } from './lab/lab.ts';
import { libreswan } from './lab/libreswan.ts';
import { ADDRESSES } from './lab/network.ts';
import { strongswan } from './lab/strongswan.ts';
import { longestSilence, ping, route, transfer } from './lab/traffic.ts';

// RFC 3948 §5.2: to the gateway these three differ in nothing but the ports the NAT gave them.
const lab = labOf('shared-nat', 'openssl');
let diallers: readonly [Dialler, Dialler, Dialler];
let connections: readonly [Connection, Connection, Connection];

test('three clients behind one NAT, all from UDP 1701 inside, connect at the same time', async () => {
  diallers = await Promise.all([
    lab().dialler(1, 'lan', strongswan),
    lab().dialler(2, 'lan', libreswan),
    lab().dialler(3, 'lan', strongswan),
  ]);
  const [first, second, third] = diallers;
  connections = await Promise.all([first.connect(), second.connect(), third.connect()]);
  expect(new Set(connections.map(({ address }) => address)).size).toBe(3);
  expect(await lab().sessions()).toBe(3);
});

test('all three work at the same time', async () => {
  await Promise.all(diallers.map(({ guest }) => route(guest)));
  const pings = await Promise.all(diallers.map(({ guest }) => ping(guest, ADDRESSES.corporate.host)));
  expect(pings).toEqual([5, 5, 5]);
  for (const direction of ['up', 'down'] as const) {
    const moved = await Promise.all(
      diallers.map(({ guest }, i) => transfer(guest, direction, TRANSFER_SECONDS, IPERF_PORTS[i])),
    );
    for (const each of moved) expect(longestSilence(each)).toBeLessThan(3);
  }
});

test('the corporate host reaches each of them', async () => {
  for (const { address } of connections) {
    const [program, args] = lab().network.within('corporate', 'ping', '-n', '-c', '2', '-W', '2', address);
    expect((await attempt(program, args)).status).toBe(0);
  }
});

test('none reaches another', async () => {
  await Promise.all(
    diallers.map(({ guest }) => guest.must(`ip route add ${ADDRESSES.pool.prefix} dev ppp0`)),
  );
  const [first, second, third] = diallers;
  expect(await ping(first.guest, connections[1].address, 3)).toBe(0);
  expect(await ping(second.guest, connections[2].address, 3)).toBe(0);
  expect(await ping(third.guest, connections[0].address, 3)).toBe(0);
});

test('one leaves and comes back, the others do not notice', async () => {
  const [first, second, third] = diallers;
  const going = Promise.all(
    [second, third].map((each, i) => transfer(each.guest, 'down', 12, IPERF_PORTS[i + 1])),
  );
  await first.disconnect();
  await first.connect();
  for (const moved of await going) expect(longestSilence(moved)).toBeLessThan(3);
  await route(first.guest);
  expect(await ping(first.guest, ADDRESSES.corporate.host)).toBe(5);
});
