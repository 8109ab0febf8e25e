import { be32, concat, hex } from '@culvert/wire';
import { EXCHANGE, emitClearMessage, emitWithHeader, FLAG, NOTIFY, type Payload } from '@culvert/wire/ike';
import { expect, test } from 'vitest';
import { openLab } from '../exchange/ike/lab.ts';
import { inWorld } from '../sim/index.ts';
import { answersIn, cookiesOf, established, expectUnharmed, HOST, SECOND } from './ike-stage.ts';

/** CVE-2009-0790, NULL: an R-U-THERE for an SA without a state, or of one that is gone. */
const rUThere = (spi: Uint8Array, data = be32(1)): Payload => ({
  kind: 'N',
  doi: 1,
  protocol: 1,
  notifyType: NOTIFY['R-U-THERE'],
  spi,
  data,
});

test('for cookies that nobody has', () =>
  inWorld({ seed: 590 }, async (world) => {
    const lab = await openLab(world);
    const answers = answersIn(world);
    const cookies = { initiatorCookie: hex('0102030405060708'), responderCookie: hex('1112131415161718') };
    for (const messageId of [0, 1]) {
      const fields = { ...cookies, exchange: EXCHANGE.informational, messageId };
      const spi = concat(cookies.initiatorCookie, cookies.responderCookie);
      lab.inject(emitClearMessage(fields, [rUThere(spi)]), HOST);
      lab.inject(emitWithHeader(fields, 8, FLAG.encryption, new Uint8Array(48)), HOST);
    }
    await world.run(SECOND);
    expect(answers).toEqual([]);
    expectUnharmed(lab);
  }));

test('under a live SA only with a sequence number of four octets, and never after its Delete', () =>
  inWorld({ seed: 591 }, async (world) => {
    const { lab, station } = await established(world);
    const answers = answersIn(world);
    const { initiatorCookie, responderCookie } = cookiesOf(station);
    const spi = concat(initiatorCookie, responderCookie);
    for (const length of [0, 1, 3, 5, 8, 64]) {
      station.initiator.inform([rUThere(spi, new Uint8Array(length))]);
    }
    await world.run(SECOND);
    expect(answers).toEqual([]);
    station.initiator.areYouThere(7);
    await world.run(SECOND);
    expect(answers).toHaveLength(1);
    station.initiator.deleteIsakmp();
    station.initiator.areYouThere(8);
    await world.run(SECOND);
    expect(answers).toHaveLength(1);
    expectUnharmed(lab);
  }));
