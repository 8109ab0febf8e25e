import { be32, concat } from '@culvert/wire';
import { DOI, emitDelete, NOTIFY, type Payload, PROTOCOL, parseDelete } from '@culvert/wire/ike';
import { describe, expect, test } from 'vitest';
import { inWorld } from '../sim/index.ts';
import { answersIn, established, expectUnharmed, SECOND } from './ike-stage.ts';

/** CVE-2023-38712, the decoder's part: a Delete whose count, SPI size and length disagree. */
test('count times size must be what is there', () => {
  const sound = emitDelete({ kind: 'D', doi: 1, protocol: 3, spis: [be32(256), be32(257)] });
  expect(parseDelete(sound, 0).ok).toBe(true);
  for (const size of [0, 1, 2, 3, 5, 8, 255]) {
    const octets = sound.slice();
    octets[5] = size;
    expect(parseDelete(octets, 0).ok).toBe(false);
  }
  for (const count of [0, 1, 3, 255, 0xffff]) {
    const octets = sound.slice();
    new DataView(octets.buffer).setUint16(6, count);
    expect(parseDelete(octets, 0).ok).toBe(false);
  }
});

/** The whole gateway: what comes behind the Delete of the SA that carries the message finds it gone. */
describe('CVE-2023-38712, the same SA deleted twice in one message', () => {
  const orders: readonly (readonly ('isakmp' | 'esp' | 'ping' | 'contact')[])[] = [
    ['esp', 'esp'],
    ['isakmp', 'isakmp'],
    ['isakmp', 'esp'],
    ['isakmp', 'ping', 'contact', 'esp'],
    ['esp', 'isakmp', 'esp', 'isakmp', 'ping'],
  ];
  test.each(orders.map((order) => [order.join(', '), order] as const))('%s', (_, order) =>
    inWorld({ seed: 560 }, async (world) => {
      const { lab, station } = await established(world);
      const { initiator, responder } = station.initiator.cookies;
      const cookies = concat(initiator, responder);
      const esp = be32(station.sas[0]?.inboundSpi ?? 0);
      const none = new Uint8Array(0);
      const notify = (notifyType: number, data: Uint8Array = none): Payload => {
        return { kind: 'N', doi: DOI.IPSEC, protocol: PROTOCOL.ISAKMP, notifyType, spi: cookies, data };
      };
      const payloads = {
        isakmp: { kind: 'D', doi: DOI.IPSEC, protocol: PROTOCOL.ISAKMP, spis: [cookies, cookies] },
        esp: { kind: 'D', doi: DOI.IPSEC, protocol: PROTOCOL.ESP, spis: [esp, esp, esp] },
        ping: notify(NOTIFY['R-U-THERE'], be32(1)),
        contact: notify(NOTIFY['INITIAL-CONTACT']),
      } as const;
      station.initiator.inform(order.map((name) => payloads[name]));
      await world.run(SECOND);
      expectUnharmed(lab);
      expect(lab.entries()).toHaveLength(order.includes('esp') ? 0 : 1);
      // The handle of what is gone opens nothing: no answer, no fault.
      const answers = answersIn(world);
      station.initiator.areYouThere(2);
      await world.run(SECOND);
      if (order.includes('isakmp')) expect(answers).toEqual([]);
      expectUnharmed(lab);
    }),
  );
});
