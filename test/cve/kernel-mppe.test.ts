import { concat } from '@culvert/wire';
import { codes, optionsOctets, protocols } from '@culvert/wire/ppp';
import { expect, test } from 'vitest';
import { inWorld } from '../sim/index.ts';
import { afterFrames, expectUnharmed, frameOctets, packetOctets } from './ppp-stage.ts';

/**
 * Kernel ppp_mppe, work without bound: one packet whose coherency count is far ahead makes the receiver
 * change keys 4,095 times. There is no MPPE here: CCP is Protocol-Rejected and what it would carry as well.
 */
const RESET_REQUEST = 14;
const mppe = optionsOctets([{ type: 18, data: Uint8Array.of(1, 0, 0, 0x40) }]);
const COMPRESSED = 0x00fd;

test('CCP and what it would compress are rejected, before and after the network is up', () =>
  inWorld({ seed: 720 }, async (world) => {
    const { scene, dialled, inject, release } = await afterFrames(world, 2);
    inject(packetOctets(protocols.ccp, codes.configureRequest, 1, mppe));
    inject(frameOctets(COMPRESSED, concat(Uint8Array.of(0x9f, 0xff), new Uint8Array(60))));
    release();
    await world.run(20_000);
    expect(dialled.client.networkUp).toBe(true);
    const before = scene.frames.length;
    for (let n = 0; n < 20; n += 1) {
      inject(packetOctets(protocols.ccp, codes.configureRequest, n, mppe));
      inject(packetOctets(protocols.ccp, codes.configureAck, n, mppe));
      inject(packetOctets(protocols.ccp, RESET_REQUEST, n, new Uint8Array(0)));
      inject(frameOctets(COMPRESSED, concat(Uint8Array.of(0x9f, n), new Uint8Array(60))));
      await world.run(1);
    }
    await world.run(10);
    const said = scene.wire.filter((line) => line.startsWith('<-- '));
    expect(said.some((line) => line.startsWith('<-- CCP'))).toBe(false);
    expect(said.some((line) => line.startsWith('<-- LCP Protocol-Reject(CCP'))).toBe(true);
    // At most one rejection for each, and nothing else.
    expect(scene.frames.length - before).toBeLessThanOrEqual(80);
    expect(dialled.client.networkUp).toBe(true);
    expectUnharmed(scene);
  }));
