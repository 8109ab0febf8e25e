import { describe, expect, test } from 'vitest';
import { dialIn, type SimClient, simClient } from '../scenario/dial-in.ts';
import { DEFAULTS, type SimGateway, simGateway } from '../scenario/gateway.ts';
import { inWorld, type World } from '../sim/index.ts';
import { expectUnharmed, keysLeft, sessionsHeld } from './gateway-stage.ts';

/**
 * CVE-2021-42054 and CVE-2021-42870, read after the context was gone: the client left right after it had
 * been authenticated, or cleared its call at an odd time. Here one client leaves after each datagram of a
 * whole set-up; when all is over nothing of any of them is left.
 */
const MINUTE = 60_000;
/** Some twenty sessions, each with minutes to end in: seconds of work on a busy machine. */
const LONG_MS = 90_000;
const ALL_OVER = 12 * MINUTE;

/** Its power is cut: what it had in hand reaches nobody any more. */
function die({ client, close }: SimClient): void {
  client.vanish();
  close();
}

/** Does something to a client when that many of its datagrams have reached the gateway. */
function at(world: World, { address, client }: SimClient, datagrams: number, what: () => void): void {
  let seen = 0;
  world.network.tap(({ from }) => {
    if (from.address !== address) return;
    seen += 1;
    if (seen === datagrams) what();
  });
  client.dial();
}

async function nothingLeft(world: World, gateway: SimGateway): Promise<void> {
  const end = world.clock.now() + ALL_OVER;
  do await world.run(MINUTE);
  while (keysLeft(world).length > 0 && world.clock.now() < end);
  await world.run(MINUTE);
  expect(keysLeft(world)).toEqual([]);
  expect(sessionsHeld(gateway)).toEqual({});
  expectUnharmed(world, gateway);
}

/** Datagrams that a client sends until its link is up. */
async function stepsOf(world: World): Promise<number> {
  let sent = 0;
  world.network.tap(({ from }) => {
    if (from.address === '198.51.100.250') sent += 1;
  });
  const { client, close } = await dialIn(world, { address: '198.51.100.250' });
  expect(client.up).toBe(true);
  client.hangUp();
  await world.run(MINUTE);
  close();
  return sent;
}

describe.each(['vanishes', 'hangs up'] as const)('a client that %s', (how) => {
  test(
    'after any datagram of its set-up leaves nothing behind',
    () =>
      inWorld({ seed: 800 }, async (world) => {
        const gateway = await simGateway(world);
        const steps = await stepsOf(world);
        expect(steps).toBeGreaterThan(15);
        for (let step = 1; step <= steps; step += 1) {
          const dialled = simClient(world, { address: `198.51.100.${step}` });
          at(world, dialled, step, () => {
            if (how === 'vanishes') return die(dialled);
            dialled.client.hangUp();
            world.clock.after(1_000, () => die(dialled));
          });
        }
        await nothingLeft(world, gateway);
      }),
    LONG_MS,
  );
});

test('the one address of a pool is free again after the last of them', () =>
  inWorld({ seed: 801 }, async (world) => {
    const gateway = await simGateway(world, DEFAULTS.replace('10.98.0.0/22', '10.98.0.0/30'));
    const steps = await stepsOf(world);
    const dialled = simClient(world, { address: '198.51.100.2' });
    at(world, dialled, steps, () => die(dialled));
    await nothingLeft(world, gateway);
    const last = await dialIn(world, { address: '198.51.100.251' });
    expect(last.client.up).toBe(true);
    last.client.hangUp();
    await nothingLeft(world, gateway);
  }));
