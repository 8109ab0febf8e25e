import { readForwardPart } from '@culvert/host';
import { concat } from '@culvert/wire';
import {
  codes,
  controlPacketOctets,
  magicNumberOption,
  mruOption,
  optionsOctets,
  protocols,
} from '@culvert/wire/ppp';
import { expect, test } from 'vitest';
import { inWorld } from '../../sim/index.ts';
import { CALL, type PppWorld, pppWorld } from './world.ts';

const BUCKET = 'culvert_ppp';

/** The forwarding entries that the edge would see, by kind. */
async function entries({ world, ppp }: PppWorld): Promise<readonly string[]> {
  const bucket = await world.promised(ppp.bus.bucket(BUCKET));
  const found: string[] = [];
  const watch = await world.promised(
    bucket.watch('>', (entry) => {
      const part = readForwardPart(ppp.sealer, BUCKET, entry);
      for (const { kind } of part?.entries ?? []) found.push(kind);
    }),
  );
  await world.run(50);
  watch.close();
  return found;
}

/** RFC 1661 §4.1, RCR+ in Opened. */
function configureRequest(): Uint8Array {
  const data = optionsOctets([mruOption(1400), magicNumberOption(0x0a0b0c0d)]);
  const { lcp } = protocols;
  const packet = controlPacketOctets({ code: codes.configureRequest, identifier: 77, data });
  return concat(Uint8Array.of(0xff, 0x03, lcp >>> 8, lcp & 0xff), packet);
}

test('LCP that begins again takes the link out of the data plane, and the user must show the password again', () =>
  inWorld({ seed: 5 }, async (world) => {
    const gateway = await pppWorld(world);
    const dialled = gateway.dial();
    const start = { type: 'link.start', call: CALL, callingStation: '198.51.100.7' } as const;
    await world.promised(gateway.request(start));
    await world.run(5);
    dialled.client.start();
    await world.run(5_000);
    expect(dialled.client.networkUp).toBe(true);
    expect(await entries(gateway)).toEqual(['link']);

    dialled.deaf = true;
    const before = gateway.frames.length;
    gateway.fromClient(configureRequest());
    await world.run(100);
    expect(await entries(gateway)).toEqual([]);
    // What answers it may not overtake the end of the entry.
    const [first] = gateway.frames.slice(before);
    expect(first?.after).toMatchObject({ bucket: BUCKET });
    expect(gateway.wire.slice(-2)).toEqual([
      expect.stringContaining('<-- LCP Configure-Request'),
      expect.stringContaining('<-- LCP Configure-Ack'),
    ]);

    // Nobody shows anything: the link goes, and never was in the data plane again.
    await world.run(120_000);
    expect(gateway.disconnects).toHaveLength(1);
    expect(await entries(gateway)).toEqual([]);
  }));
