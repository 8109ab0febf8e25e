import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { labOf } from './dial-in.ts';
import type { Dialler } from './lab/client.ts';
import { attempt, daemon } from './lab/command.ts';
import { ADDRESSES } from './lab/network.ts';
import { strongswan } from './lab/strongswan.ts';
import { ping, route } from './lab/traffic.ts';

const lab = labOf('protection', 'openssl');
let dialler: Dialler;
/** A service on every address of the gateway, as an SSH server would be. */
const CANARY = 8099;

beforeAll(async () => {
  daemon(
    join(lab().directory, 'canary.log'),
    ...lab().network.within('gateway', 'iperf3', '-s', '-p', `${CANARY}`),
  );
  dialler = await lab().dialler(1, 'outside', strongswan);
});

test('UDP 1701 is closed outside', async () => {
  expect(await lab().gateway.sockets('-ul', 'sport = :1701')).toBe('');
  // A control message of type SCCRQ without IPsec around it.
  const { output } = await dialler.guest.attempt(`
    exec 5<>/dev/udp/${ADDRESSES.outside.gateway}/1701
    printf '\\xc8\\x02\\x00\\x14\\0\\0\\0\\0\\0\\0\\0\\0\\x80\\x08\\0\\0\\0\\0\\0\\x01' >&5
    timeout 2 dd bs=1500 count=1 <&5 2>/dev/null | wc -c`);
  expect(output.trim().split('\n').at(-1)).toBe('0');
});

test("the gateway's own addresses and ports are out of a client's reach", async () => {
  // Outside the tunnel the canary answers: what follows is not for want of a listener.
  expect(await reaches(ADDRESSES.outside.gateway, CANARY, 'vec0')).toBe(true);
  await dialler.connect();
  await route(dialler.guest);
  expect(await ping(dialler.guest, ADDRESSES.corporate.host)).toBe(5);

  const open = await attempt(...lab().network.within('gateway', 'ss', '-Hltn'));
  const ports = new Set([...open.output.matchAll(/:(\d+)\s+\S+:\*/g)].map(([, port]) => Number(port)));
  expect(ports).toContain(CANARY);
  const doors = [ADDRESSES.pool.gateway, ADDRESSES.corporate.gateway, ADDRESSES.outside.gateway].flatMap(
    (address) => [...ports].map((port) => ({ address, port })),
  );
  const verdicts = await Promise.all(
    doors.map(async ({ address, port }) => `${address}:${port} ${await reaches(address, port, 'ppp0')}`),
  );
  expect(verdicts).toEqual(doors.map(({ address, port }) => `${address}:${port} false`));
  // The way itself is open: what was refused was refused for its destination.
  expect(await ping(dialler.guest, ADDRESSES.corporate.host)).toBe(5);
});

/** Whether a TCP connection through a device is accepted; what is behind the port does not matter. */
async function reaches(address: string, port: number, device: string): Promise<boolean> {
  const { output } = await dialler.guest.attempt(
    `iperf3 --bind-dev ${device} --connect-timeout 2500 -t 1 -c ${address} -p ${port}`,
    20_000,
  );
  return !/timed out|refused|unreachable|prohibited/i.test(output);
}
