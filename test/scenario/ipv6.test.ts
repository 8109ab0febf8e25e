import { concat, equal, toHex } from '@culvert/wire';
import { describe, expect, test } from 'vitest';
import { macos } from '../peer/profile.ts';
import { inWorld } from '../sim/index.ts';
import { dialIn, plainOctets } from './dial-in.ts';
import { DEFAULTS, simGateway } from './gateway.ts';

const POOL6 = DEFAULTS.replace(
  'pool: { ipv4: 10.98.0.0/22 }',
  'pool: { ipv4: 10.98.0.0/22, ipv6: "fd00:98::/48" }',
).replace('ppp: { dns: [10.0.0.53] }', 'ppp: { dns: [10.0.0.53], dns6: ["fd00:53::1"] }');

/** An IPv6 packet with a payload nobody looks into (next header 59: none). */
function packet6(from: Uint8Array, to: Uint8Array, mark: number): Uint8Array {
  return concat(Uint8Array.of(0x60, 0, 0, 0, 0, 4, 59, 64), from, to, Uint8Array.of(mark, mark, mark, mark));
}

describe('IPv6 inside', () => {
  test('IPV6CP, then a router advertisement with a /64 and name server; traffic both ways', async () => {
    await inWorld({ seed: 50 }, async (world) => {
      const gateway = await simGateway(world, POOL6);
      const { client, packets } = await dialIn(world, { address: '198.51.100.2', profile: macos });
      await world.until(() => client.ppp.ipv6Up && packets.length > 0, 10_000);
      const advertisement = packets[0] ?? new Uint8Array(0);
      // ICMPv6 type 134 (RFC 4861 §4.2) behind a 40-octet header, hop limit 255.
      expect([advertisement[6], advertisement[7], advertisement[40]]).toEqual([58, 255, 134]);
      expect(toHex(advertisement)).toContain(toHex(plainOctets('fd00:53::1')));
      const at = toHex(advertisement).indexOf('fd000098');
      expect(at).toBeGreaterThan(0);
      const prefix = advertisement.slice(at / 2, at / 2 + 8);
      const ours = concat(prefix, client.ppp.addresses.interfaceId ?? new Uint8Array(8));
      const host = plainOctets('fd00:10::80');

      client.sendPacket(packet6(ours, host, 1));
      await world.until(() => gateway.corporate.length === 1, 2_000);
      expect(equal(gateway.corporate[0] ?? new Uint8Array(0), packet6(ours, host, 1))).toBe(true);
      const before = packets.length;
      gateway.plane.inner(packet6(host, ours, 2));
      await world.until(() => packets.length > before, 2_000);

      // Another prefix as source is not this client's.
      client.sendPacket(packet6(plainOctets('fd00:98:ffff::1'), host, 3));
      await world.run(1_000);
      expect(gateway.corporate).toHaveLength(1);
    });
  });

  test('two sessions never share a /64', async () => {
    await inWorld({ seed: 51 }, async (world) => {
      await simGateway(world, POOL6);
      const prefixes = new Set<string>();
      for (const address of ['198.51.100.2', '198.51.100.3']) {
        const { packets } = await dialIn(world, { address, profile: macos });
        await world.until(() => packets.length > 0, 10_000);
        const advertisement = toHex(packets[0] ?? new Uint8Array(0));
        prefixes.add(
          advertisement.slice(advertisement.indexOf('fd000098'), advertisement.indexOf('fd000098') + 16),
        );
      }
      expect(prefixes.size).toBe(2);
    });
  });

  test('without a pool for it, IPV6CP is Protocol-Rejected', async () => {
    await inWorld({ seed: 52 }, async (world) => {
      await simGateway(world);
      const { client } = await dialIn(world, { address: '198.51.100.2', profile: macos });
      await world.until(() => client.ppp.rejected.includes(0x8057), 5_000);
      expect(client.up).toBe(true);
    });
  });
});

test('IPv6 outside: a client that dials the gateway over IPv6, with IPv4 inside', async () => {
  await inWorld({ seed: 53 }, async (world) => {
    const gateway = '2001:db8::1';
    await simGateway(world, DEFAULTS.replace('"192.0.2.1"', `"192.0.2.1", "${gateway}"`));
    const { client, faults } = await dialIn(world, { address: '2001:db8::77', gateway });
    expect(faults).toEqual([]);
    expect(client.up).toBe(true);
    expect(client.ike.natDetected).toBe(false);
  });
});
