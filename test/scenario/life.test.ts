import { describe, expect, test } from 'vitest';
import { macos, modern, windows10 } from '../peer/profile.ts';
import { inWorld, type World } from '../sim/index.ts';
import { dialIn, type SimClient } from './dial-in.ts';
import { DEFAULTS, type SimGateway, simGateway } from './gateway.ts';
import { icmpEcho } from './packets.ts';

const CORPORATE = '10.0.0.80';
let sequence = 0;

/** One ping in each direction; throws when it does not come through. */
async function pings(world: World, gateway: SimGateway, dialled: SimClient): Promise<void> {
  const ours = (dialled.client.ppp.addresses.ipv4 ?? new Uint8Array(4)).join('.');
  const before = [gateway.corporate.length, dialled.packets.length] as const;
  sequence += 1;
  dialled.client.sendPacket(icmpEcho(ours, CORPORATE, 8, sequence));
  await world.until(() => gateway.corporate.length > before[0], 2_000);
  gateway.plane.inner(icmpEcho(CORPORATE, ours, 0, sequence));
  await world.until(() => dialled.packets.length > before[1], 2_000);
}

const sessions = (gateway: SimGateway) => gateway.runtimes.ike.telemetry;

describe('several clients', () => {
  test('three behind one NAT, all with port 1701 inside, at the same time', async () => {
    await inWorld({ seed: 20 }, async (world) => {
      const gateway = await simGateway(world);
      const addresses = ['10.1.1.2', '10.1.1.3', '10.1.1.4'];
      world.network.nat('198.51.100.9', addresses);
      const profiles = [windows10, macos, windows10];
      const clients: SimClient[] = [];
      for (const [index, address] of addresses.entries()) {
        clients.push(await dialIn(world, { address, profile: profiles[index] ?? modern }));
      }
      expect(clients.map(({ client }) => client.up)).toEqual([true, true, true]);
      for (const dialled of [...clients, ...clients]) await pings(world, gateway, dialled);
      const inner = clients.map(({ client }) => client.ppp.addresses.ipv4?.join('.'));
      expect(new Set(inner).size).toBe(3);
      expect(clients.flatMap(({ faults }) => faults)).toEqual([]);
    });
  });

  test('one of two leaves, the other does not notice', async () => {
    await inWorld({ seed: 21 }, async (world) => {
      const gateway = await simGateway(world);
      world.network.nat('198.51.100.9', ['10.1.1.2', '10.1.1.3']);
      const first = await dialIn(world, { address: '10.1.1.2' });
      const second = await dialIn(world, { address: '10.1.1.3' });
      first.client.hangUp();
      await world.run(30_000);
      await pings(world, gateway, second);
    });
  });
});

describe("a session's life", () => {
  test('a Quick Mode rekey loses nothing', async () => {
    await inWorld({ seed: 22 }, async (world) => {
      const gateway = await simGateway(world);
      const dialled = await dialIn(world, { address: '198.51.100.2' });
      for (let round = 0; round < 3; round += 1) {
        await world.promised(dialled.client.ike.quickMode());
        await world.until(() => dialled.client.sas.length === round + 2, 5_000);
        await pings(world, gateway, dialled);
      }
      const old = dialled.client.sas.splice(0, 3);
      dialled.client.ike.deleteEsp(old.map((end) => end.sa.inboundSpi));
      await world.run(5_000);
      await pings(world, gateway, dialled);
      await world.run(10 * 60_000);
      expect(dialled.client.up).toBe(true);
    });
  });

  test('an IKE rekey joins the session, and deleting the old ISAKMP SA keeps it', async () => {
    await inWorld({ seed: 23 }, async (world) => {
      const gateway = await simGateway(world);
      world.network.nat('198.51.100.9', ['10.1.1.2']);
      const dialled = await dialIn(world, { address: '10.1.1.2' });
      const { ike } = dialled.client;
      const oldSas = dialled.client.sas.length;
      ike.connect();
      await world.until(() => ike.stage === 'up' && dialled.client.sas.length === oldSas + 1, 20_000);
      await pings(world, gateway, dialled);
      const [first] = dialled.client.sas.splice(0, 1);
      ike.deleteEsp([first?.sa.inboundSpi ?? 0]);
      await world.run(60 * 60_000 - 120_000);
      await pings(world, gateway, dialled);
      expect(dialled.client.up).toBe(true);
    });
  });

  test('a client that vanishes is cleaned up, and its address is free again', async () => {
    await inWorld({ seed: 24 }, async (world) => {
      const gateway = await simGateway(world, DEFAULTS.replace('10.98.0.0/22', '10.98.0.0/30'));
      const first = await dialIn(world, { address: '198.51.100.2' });
      first.client.vanish();
      await world.run(15 * 60_000);
      expect(sessions(gateway).lines.length).toBeGreaterThan(0);
      const second = await dialIn(world, { address: '198.51.100.3' });
      expect(second.client.up).toBe(true);
      expect(second.client.ppp.addresses.ipv4).toEqual(first.client.ppp.addresses.ipv4);
    });
  });

  test('the same client after a power cut gets in again at once', async () => {
    await inWorld({ seed: 25 }, async (world) => {
      const gateway = await simGateway(world);
      const first = await dialIn(world, { address: '198.51.100.2', profile: macos });
      first.client.vanish();
      await world.run(5_000);
      first.close();
      const again = await dialIn(world, { address: '198.51.100.2', profile: macos });
      expect(again.client.up).toBe(true);
      await pings(world, gateway, again);
    });
  });

  test('a NAT that changes its mind about ports does not end the session', async () => {
    await inWorld({ seed: 26 }, async (world) => {
      const gateway = await simGateway(world);
      world.network.nat('198.51.100.9', ['10.1.1.2']);
      const dialled = await dialIn(world, { address: '10.1.1.2' });
      world.network.faults.natRebindEveryMs = 40_000;
      for (let minute = 0; minute < 10; minute += 1) {
        await world.run(60_000);
        await pings(world, gateway, dialled);
      }
      expect(dialled.client.up).toBe(true);
    });
  });

  test('an established session carries on for hours of echoes and probes', async () => {
    await inWorld({ seed: 27 }, async (world) => {
      const gateway = await simGateway(
        world,
        `${DEFAULTS}esp: { lifetimeSeconds: 86400 }\nike: { lifetimeSeconds: 86400 }\n`,
      );
      const long = { ...modern, ike: { ...modern.ike, phase2Seconds: 86_400, phase1Seconds: 86_400 } };
      const dialled = await dialIn(world, { address: '198.51.100.2', profile: long });
      await world.run(3 * 60 * 60_000);
      await pings(world, gateway, dialled);
      expect(dialled.faults).toEqual([]);
    });
  });
});

describe('processes that die', () => {
  test.each(['ike', 'l2tp', 'ppp', 'aaa', 'edge'] as const)(
    '%s dies and comes back: the session lives',
    async (role) => {
      await inWorld({ seed: 28 }, async (world) => {
        const gateway = await simGateway(world);
        world.network.nat('198.51.100.9', ['10.1.1.2']);
        const dialled = await dialIn(world, { address: '10.1.1.2' });
        await world.run(1_000);
        await gateway.restart(role);
        await pings(world, gateway, dialled);
        await world.promised(dialled.client.ike.quickMode());
        await world.until(() => dialled.client.sas.length === 2, 5_000);
        await world.run(20 * 60_000);
        await pings(world, gateway, dialled);
        expect(dialled.client.up).toBe(true);
        dialled.client.hangUp();
        await world.run(60_000);
        expect(dialled.faults).toEqual([]);
      });
    },
  );
});

describe('a bad network', () => {
  test.each([1, 2, 3, 4, 5, 6])(
    'loss, duplicates, reordering and delay: everybody gets in, run %i',
    async (run) => {
      await inWorld(
        { seed: 3000 + run, faults: { loss: 0.05, duplicate: 0.05, reorder: 3, delayMs: 40 } },
        async (world) => {
          const gateway = await simGateway(world);
          const addresses = ['10.1.1.2', '10.1.1.3'];
          world.network.nat('198.51.100.9', addresses);
          const clients = [];
          for (const address of addresses) clients.push(await dialIn(world, { address, profile: windows10 }));
          expect(clients.map(({ client }) => (client.up ? '' : (client.ended ?? client.ike.stage)))).toEqual([
            '',
            '',
          ]);
          world.network.faults.loss = 0;
          world.network.faults.reorder = 0;
          await world.run(2_000);
          for (const dialled of clients) await pings(world, gateway, dialled);
          expect(clients.flatMap(({ faults }) => faults)).toEqual([]);
        },
      );
    },
  );
});

describe('NATS goes away', () => {
  test('established sessions keep forwarding, new ones are refused, all recovers by itself', async () => {
    await inWorld({ seed: 40 }, async (world) => {
      const gateway = await simGateway(world);
      const dialled = await dialIn(world, { address: '198.51.100.2' });
      for (const runtime of Object.values(gateway.runtimes)) runtime.bus.cut();
      await world.run(30_000);
      await pings(world, gateway, dialled);
      const refused = await dialIn(world, { address: '198.51.100.3' });
      expect(refused.client.up).toBe(false);
      refused.close();
      for (const runtime of Object.values(gateway.runtimes)) runtime.bus.heal();
      await world.run(30_000);
      await pings(world, gateway, dialled);
      const welcome = await dialIn(world, { address: '198.51.100.4' });
      expect(welcome.client.up).toBe(true);
      await world.run(10 * 60_000);
      await pings(world, gateway, dialled);
    });
  });
});
