import {
  EXCHANGE,
  emitClearMessage,
  emitWithHeader,
  FLAG,
  NOTIFY,
  type Payload,
  PROTOCOL,
} from '@culvert/wire/ike';
import { describe, expect, test } from 'vitest';
import { inWorld } from '../sim/index.ts';
import { answersIn, cookiesOf, dropped, expectUnharmed, HOST, SECOND, stoppedAfter } from './ike-stage.ts';

/**
 * CVE-2019-12312, NULL: an INFORMATIONAL before there are keys had to be answered with an encrypted error.
 * Here it is met with silence, and the handshake goes on as if it had not come.
 */
const none = new Uint8Array(0);
const PAYLOADS: readonly Payload[] = [
  { kind: 'N', doi: 1, protocol: PROTOCOL.ISAKMP, notifyType: NOTIFY['R-U-THERE'], spi: none, data: none },
  { kind: 'N', doi: 1, protocol: PROTOCOL.ISAKMP, notifyType: NOTIFY['INVALID-SPI'], spi: none, data: none },
  { kind: 'D', doi: 1, protocol: PROTOCOL.ISAKMP, spis: [new Uint8Array(16)] },
  { kind: 'HASH', data: new Uint8Array(32) },
];

describe.each([1, 2, 3])('after %i messages of a Main Mode', (messages) => {
  test('an INFORMATIONAL, in the clear or encrypted, is not answered', () =>
    inWorld({ seed: 300 + messages }, async (world) => {
      const { lab, station } = await stoppedAfter(world, Math.min(messages, 2));
      if (messages === 3) {
        // MM5 arrives, MM6 is lost: the gateway has keys, the client does not know.
        station.filter = (direction) => direction === 'out';
        await world.run(3 * SECOND);
      }
      const answers = answersIn(world);
      for (const messageId of [0, 7]) {
        const fields = { ...cookiesOf(station), exchange: EXCHANGE.informational, messageId };
        for (const payload of PAYLOADS) lab.inject(emitClearMessage(fields, [payload]), HOST);
        for (const length of [0, 8, 16, 17, 64]) {
          lab.inject(emitWithHeader(fields, 8, FLAG.encryption, new Uint8Array(length).fill(0x5a)), HOST);
        }
      }
      await world.run(10);
      expect(answers).toEqual([]);
      expect(dropped(lab, 'unprotected-informational')).toBeGreaterThanOrEqual(2 * PAYLOADS.length);
      expectUnharmed(lab);
      station.filter = () => true;
      await world.until(() => station.sas.length === 1, 20 * SECOND);
    }));
});
