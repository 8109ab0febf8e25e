import { be32, concat } from '@culvert/wire';
import { describe, expect, test } from 'vitest';
import { dialIn } from '../scenario/dial-in.ts';
import { GATEWAY, simGateway } from '../scenario/gateway.ts';
import { inWorld } from '../sim/index.ts';
import { expectUnharmed, gatewaySays, stranger } from './gateway-stage.ts';

/**
 * CVE-2024-38520, amplification: ESP with an unknown SPI was answered with IKE packets. Not an octet leaves
 * for a packet that no SA vouches for, on either port, also not for the SPI of a living SA.
 */
const LENGTHS = [1, 3, 4, 7, 8, 9, 16, 27, 28, 29, 32, 48, 64, 100, 576, 1400];

describe.each([4500, 0] as const)('on port %i', (port) => {
  test('ESP of strangers is met with silence', () =>
    inWorld({ seed: 820 }, async (world) => {
      const gateway = await simGateway(world);
      if (port === 4500) world.network.nat('198.51.100.9', ['10.1.1.2']);
      const address = port === 4500 ? '10.1.1.2' : '198.51.100.2';
      const { client } = await dialIn(world, { address });
      await world.run(3_000);
      const live = client.sas[0]?.sa.outboundSpi ?? 0;
      const said = gatewaySays(world);
      const socket = stranger(world, port === 0 ? 0 : 61_000);
      let sent = 0;
      for (const spi of [1, 255, 256, 0x1234_5678, live - 1, live, live + 1, live + 256, 0xfeff_ffff]) {
        for (const length of LENGTHS) {
          const octets = concat(be32(spi), be32(1), new Uint8Array(length).fill(0x55)).subarray(0, length);
          socket.send({ address: GATEWAY, port }, octets);
          sent += 1;
        }
      }
      await world.run(100);
      expect(said).toEqual([]);
      await world.run(2_000);
      const drops = Object.entries(gateway.counters()).filter(([name]) => name.startsWith('edge.drops'));
      expect(drops.reduce((sum, [, count]) => sum + count, 0)).toBe(sent);
      expect(client.up).toBe(true);
      expectUnharmed(world, gateway);
    }));
});
