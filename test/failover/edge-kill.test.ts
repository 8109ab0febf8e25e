import { beforeAll, expect, test } from 'vitest';
import { labOf } from '../interop/dial-in.ts';
import type { Dialler } from '../interop/lab/client.ts';
import { type Echo, startEcho } from '../interop/lab/echo.ts';
import { ADDRESSES } from '../interop/lab/network.ts';
import { strongswan } from '../interop/lab/strongswan.ts';
import { longestPause, route } from '../interop/lab/traffic.ts';

const lab = labOf('edge-kill', 'auto');
const MEGABITS = 20;
const PINGS_PER_SECOND = 20;
const WATCHED_SECONDS = 12;
/** A process starts, reads its records and reserves sequence numbers; a busy machine takes several times as long. */
const OUTAGE_MS_MAX = 8_000;

let dialler: Dialler;
let echo: Echo;

beforeAll(async () => {
  echo = await startEcho(lab().network, lab().directory, { port: 7001, megabits: MEGABITS });
  dialler = await lab().dialler(1, 'lan', strongswan);
  await dialler.connect();
  await route(dialler.guest);
  await echo.keep(dialler.guest);
});

for (const time of ['once', 'once more']) {
  test(`the edge is killed ${time} under load: it forwards again by itself, and TCP goes on`, async () => {
    await echo.carry(2e6);
    const pid = await lab().gateway.pid('edge');
    const pings = longestPause(dialler.guest, ADDRESSES.corporate.host, {
      perSecond: PINGS_PER_SECOND,
      seconds: WATCHED_SECONDS,
    });
    await echo.carry(2e6);
    process.kill(pid, 'SIGKILL');
    const pauseMs = await pings;
    expect(await lab().gateway.pid('edge')).not.toBe(pid);
    await echo.carry(5e6);
    const [report, ...others] = echo.read();
    console.log(`edge killed ${time}: ${pauseMs} ms without a packet, ${report?.longestGapMs} ms in TCP`);
    // One connection from the beginning, with every octet in its place.
    expect(others).toEqual([]);
    expect(report).not.toHaveProperty('ended');
    expect(report?.wrongAt).toBeUndefined();
    expect(pauseMs).toBeLessThan(OUTAGE_MS_MAX);
    expect(await lab().sessions()).toBe(1);
  });
}
