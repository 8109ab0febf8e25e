import { toHex } from '@culvert/wire';
import { describe, expect, test } from 'vitest';
import { inWorld } from '../sim/index.ts';
import { dialIn } from './dial-in.ts';
import { simGateway } from './gateway.ts';
import { icmpEcho } from './packets.ts';

const CORPORATE = '10.0.0.80';

describe('a client dials in', () => {
  test.each([
    ['directly, over raw ESP', false],
    ['behind a NAT, over UDP 4500', true],
  ])('%s', async (_, natted) => {
    await inWorld({ seed: 1 }, async (world) => {
      const gateway = await simGateway(world);
      const address = natted ? '10.1.1.2' : '198.51.100.2';
      if (natted) world.network.nat('198.51.100.9', [address]);
      const { client, packets, faults } = await dialIn(world, { address });
      expect({ up: client.up, ended: client.ended, faults, lines: client.up ? [] : gateway.lines() }).toEqual(
        {
          up: true,
          ended: undefined,
          faults: [],
          lines: [],
        },
      );
      expect(client.ike.natDetected).toBe(natted);
      const inner = client.ppp.addresses.ipv4 ?? new Uint8Array(4);
      expect(toHex(inner)).toMatch(/^0a62/);
      expect(client.ppp.addresses.dns.map(toHex)).toEqual(['0a000035']);

      const ours = inner.join('.');
      client.sendPacket(icmpEcho(ours, CORPORATE, 8, 1));
      await world.until(() => gateway.corporate.length === 1, 1_000);
      expect(toHex(gateway.corporate[0] ?? new Uint8Array(0))).toBe(toHex(icmpEcho(ours, CORPORATE, 8, 1)));
      gateway.plane.inner(icmpEcho(CORPORATE, ours, 0, 1));
      await world.until(() => packets.length === 1, 1_000);
      expect(toHex(packets[0] ?? new Uint8Array(0))).toBe(toHex(icmpEcho(CORPORATE, ours, 0, 1)));

      client.hangUp();
      await world.run(70_000);
      expect(await keysLeft(world)).toEqual([]);
    });
  });
});

async function keysLeft(world: Parameters<Parameters<typeof inWorld>[1]>[0]): Promise<string[]> {
  const bus = world.broker.connect('observer');
  const keys: string[] = [];
  for (const name of ['culvert_ike', 'culvert_l2tp', 'culvert_ppp', 'culvert_sequences']) {
    const bucket = await world.promised(bus.bucket(name));
    const watching = await world.promised(
      bucket.watch('>', (entry) => {
        if (entry.value !== undefined) keys.push(`${name} ${entry.key}`);
      }),
    );
    await world.settle();
    watching.close();
  }
  return keys;
}
