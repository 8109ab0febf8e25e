import { concat, hex } from '@culvert/wire';
import { EXCHANGE, emitClearMessage, emitWithHeader, ISAKMP_LIMITS, PAYLOAD } from '@culvert/wire/ike';
import { describe, expect, test } from 'vitest';
import type { Lab, Station } from '../exchange/ike/lab.ts';
import { inWorld } from '../sim/index.ts';
import {
  answersIn,
  cookiesOf,
  dropped,
  expectUnharmed,
  HOST,
  SECOND,
  type Stage,
  stoppedAfter,
} from './ike-stage.ts';

/**
 * CVE-2016-1287, CVE-2016-1344, CVE-2013-6076, racoon CVE-2009-1574: IKEv1 fragments whose lengths, numbers
 * and ends lie. The battery stands before MM5, where a stranger who has seen MM2 stands.
 */
interface Fragment {
  readonly id?: number;
  readonly number: number;
  readonly last?: boolean;
  readonly data: Uint8Array;
}

const SOME = new Uint8Array(30).fill(0x55);

function send({ lab, station }: Stage, { id = 1, number, last = false, data }: Fragment): void {
  const fields = { ...cookiesOf(station), exchange: EXCHANGE.identityProtection, messageId: 0 };
  lab.inject(emitClearMessage(fields, [{ kind: 'FRAGMENT', id, number, last, data }]), HOST);
}

/** The body of a fragment payload as given, whatever is wrong with it. */
function sendRaw({ lab, station }: Stage, body: Uint8Array, length = 4 + body.length): void {
  const fields = { ...cookiesOf(station), exchange: EXCHANGE.identityProtection, messageId: 0 };
  const head = Uint8Array.of(0, 0, length >>> 8, length & 0xff);
  lab.inject(emitWithHeader(fields, PAYLOAD.FRAGMENT, 0, concat(head, body)), HOST);
}

function battery(name: string, run: (stage: Stage) => void | Promise<void>, drops: object): void {
  test(name, () =>
    inWorld({ seed: 600 }, async (world) => {
      const stage = await stoppedAfter(world, 2);
      const answers = answersIn(world);
      await run(stage);
      await world.run(10);
      const counted = Object.keys(drops).map((reason) => [reason, dropped(stage.lab, reason)]);
      expect(Object.fromEntries(counted)).toEqual(drops);
      expect(answers).toEqual([]);
      expectUnharmed(stage.lab);
      await goesOn(stage.lab, stage.station);
    }),
  );
}

/** What was half put together does not stand in the way of the client's own MM5. */
async function goesOn(lab: Lab, station: Station): Promise<void> {
  station.filter = () => true;
  await lab.world.until(() => station.sas.length === 1, 20 * SECOND);
}

describe('a fragment', () => {
  battery(
    'shorter than its own header, and with nothing behind it',
    (stage) => {
      for (let length = 0; length <= 4; length += 1) sendRaw(stage, hex('0001010100').subarray(0, length));
    },
    { 'malformed-truncated': 5 },
  );
  battery(
    'whose length lies',
    (stage) => {
      for (const length of [0, 1, 3]) sendRaw(stage, hex('000101014142'), length);
      for (const length of [11, 12, 0xffff]) sendRaw(stage, hex('000101014142'), length);
      for (const length of [9]) sendRaw(stage, hex('000101014142'), length);
    },
    { 'malformed-bad-length': 6, 'malformed-trailing-octets': 1 },
  );
  battery('with number 0', (stage) => send(stage, { number: 0, data: SOME }), { 'malformed-bad-value': 1 });
  battery(
    'beyond the most there may be',
    (stage) => {
      for (const number of [ISAKMP_LIMITS.fragmentsMax + 1, 255]) send(stage, { number, data: SOME });
    },
    { 'malformed-too-many': 2 },
  );
  battery(
    'among other payloads',
    ({ lab, station }) => {
      const fields = { ...cookiesOf(station), exchange: EXCHANGE.identityProtection, messageId: 0 };
      const fragment = { kind: 'FRAGMENT', id: 1, number: 1, last: true, data: SOME } as const;
      lab.inject(emitClearMessage(fields, [fragment, fragment]), HOST);
      lab.inject(emitClearMessage(fields, [fragment, { kind: 'HASH', data: SOME }]), HOST);
    },
    { 'malformed-duplicate': 1, 'malformed-unexpected': 1 },
  );
});

describe('fragments', () => {
  battery(
    'with a number above that of the last one, in either order',
    (stage) => {
      send(stage, { number: 2, last: true, data: SOME });
      send(stage, { number: 3, data: SOME });
      send(stage, { number: 5, data: SOME });
      send(stage, { number: 4, last: true, data: SOME });
    },
    { 'fragment-conflict': 2 },
  );
  battery(
    'of which two are the last',
    (stage) => {
      send(stage, { number: 3, last: true, data: SOME });
      send(stage, { number: 2, last: true, data: SOME });
    },
    { 'fragment-conflict': 1 },
  );
  battery(
    'with one number and two contents, and with two lengths',
    (stage) => {
      send(stage, { number: 1, data: SOME });
      send(stage, { number: 1, data: SOME.map((octet) => octet ^ 1) });
      send(stage, { number: 1, data: SOME });
      send(stage, { number: 1, data: SOME.subarray(1) });
    },
    { 'fragment-conflict': 2 },
  );
  battery(
    'that repeat themselves a thousand times',
    async (stage) => {
      for (let n = 0; n < 1000; n += 1) {
        send(stage, { number: 1, data: SOME });
        if (n % 50 === 0) await stage.lab.world.run(1);
      }
    },
    { 'fragment-waiting': 1000 },
  );
  battery(
    'each with another ID, ten thousand of them',
    async (stage) => {
      for (let id = 0; id < 10_000; id += 1) {
        send(stage, { id, number: 1 + (id % 64), data: SOME });
        if (id % 50 === 0) await stage.lab.world.run(1);
      }
    },
    { 'fragment-waiting': 10_000 },
  );
  battery(
    'of more than 64 KiB together',
    (stage) => {
      for (let number = 1; number <= 64; number += 1) {
        send(stage, { number, last: number === 64, data: new Uint8Array(1200).fill(number) });
      }
    },
    // The 55th is one too many; what comes after it begins anew and waits.
    { 'fragment-limit': 1, 'fragment-waiting': 63 },
  );
  battery(
    'whose whole is a fragment, or no message at all',
    ({ lab, station }) => {
      const fields = { ...cookiesOf(station), exchange: EXCHANGE.identityProtection, messageId: 0 };
      const inner = emitClearMessage(fields, [
        { kind: 'FRAGMENT', id: 2, number: 1, last: true, data: SOME },
      ]);
      send({ lab, station }, { id: 3, number: 1, last: true, data: inner });
      // Not of the SA whose cookies the part bears, and of it but cut short, and of it but with a wrong length.
      send({ lab, station }, { id: 4, number: 1, last: true, data: SOME });
      send({ lab, station }, { id: 5, number: 1, last: true, data: hex('00') });
      send({ lab, station }, { id: 6, number: 1, last: true, data: inner.subarray(0, 20) });
      send({ lab, station }, { id: 7, number: 1, last: true, data: inner.subarray(0, 40) });
    },
    { 'fragment-of-fragment': 1, 'fragment-cookies': 2, 'malformed-truncated': 1, 'malformed-bad-length': 1 },
  );
  battery(
    'whose whole is an IKEv2 message',
    (stage) => {
      const whole = emitClearMessage(
        { ...cookiesOf(stage.station), exchange: EXCHANGE.identityProtection, messageId: 0 },
        [{ kind: 'HASH', data: SOME }],
      );
      whole[17] = 0x20;
      send(stage, { number: 1, data: whole.subarray(0, 20) });
      send(stage, { number: 2, last: true, data: whole.subarray(20) });
    },
    { 'malformed-bad-version': 1 },
  );
});
