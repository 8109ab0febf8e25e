import { emitClearMessage, emitWithHeader, FLAG, NOTIFY, type Payload, PROTOCOL } from '@culvert/wire/ike';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PSK } from '../exchange/ike/lab.ts';
import { modern } from '../peer/profile.ts';
import { inWorld } from '../sim/index.ts';
import {
  answersIn,
  cookiesOf,
  expectUnharmed,
  HOST,
  quickModePayloads,
  SECOND,
  stoppedAfter,
} from './ike-stage.ts';

/**
 * CVE-2014-2338, authentication bypass: an exchange of the second phase on an SA that was not established
 * made it so. Here any exchange, in the clear or as if encrypted, in any order, at every step before MM6.
 */
const notification: Payload = {
  kind: 'N',
  doi: 1,
  protocol: PROTOCOL.ISAKMP,
  notifyType: NOTIFY['INITIAL-CONTACT'],
  spi: new Uint8Array(16),
  data: new Uint8Array(0),
};
const CHAINS: readonly (readonly Payload[])[] = [
  [{ kind: 'HASH', data: new Uint8Array(32) }, ...quickModePayloads(0x9000_0001)],
  quickModePayloads(0x9000_0002),
  [{ kind: 'HASH', data: new Uint8Array(32) }],
  [{ kind: 'HASH', data: new Uint8Array(32) }, notification],
  [notification],
  [quickModePayloads(1)[2], { kind: 'HASH', data: new Uint8Array(32) }],
];

const message = fc.record({
  exchange: fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 32, 33, 34, 35, 36, 37, 240, 255),
  messageId: fc.constantFrom(0, 1, 0xffff_ffff),
  encrypted: fc.boolean(),
  chain: fc.nat(CHAINS.length - 1),
  noise: fc.uint8Array({ minLength: 16, maxLength: 64 }),
});

describe.each([1, 2, 3])('after %i messages of a Main Mode', (messages) => {
  test('nothing is established but by proof of the key', () =>
    inWorld({ seed: 200 + messages }, async (world) => {
      // With the wrong key MM5 leaves the SA as half open as it was.
      const { lab, station } = await stoppedAfter(world, messages, undefined, { psk: `${PSK}x` });
      const answers = answersIn(world);
      const fields = cookiesOf(station);
      await fc.assert(
        fc.asyncProperty(fc.array(message, { maxLength: 12 }), async (order) => {
          for (const { exchange, messageId, encrypted, chain, noise } of order) {
            const head = { ...fields, exchange, messageId };
            lab.inject(
              encrypted
                ? emitWithHeader(head, 8, FLAG.encryption, noise)
                : emitClearMessage(head, CHAINS[chain] ?? []),
              HOST,
            );
          }
          await world.run(10);
          expect(lab.entries()).toEqual([]);
        }),
        { numRuns: 40 },
      );
      expect(lab.logged('isakmp sa established')).toEqual([]);
      expect(lab.logged('ipsec sa established')).toEqual([]);
      expect(answers).toEqual([]);
      expectUnharmed(lab);
      const honest = lab.station(modern.ike, { ours: '198.51.100.8' });
      honest.initiator.connect();
      await world.until(() => honest.sas.length === 1, 20 * SECOND);
    }));
});
