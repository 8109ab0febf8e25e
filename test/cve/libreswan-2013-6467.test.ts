import { concat, toHex } from '@culvert/wire';
import {
  EXCHANGE,
  emitChain,
  emitWithHeader,
  ISAKMP_HEADER_OCTETS,
  type Payload,
  parseChain,
  parseClearMessage,
} from '@culvert/wire/ike';
import { describe, expect, test } from 'vitest';
import { type Lab, openLab, type Station } from '../exchange/ike/lab.ts';
import { modern } from '../peer/profile.ts';
import { inWorld, type World } from '../sim/index.ts';
import {
  dropped,
  established,
  expectUnharmed,
  HOST,
  hashOver,
  quickModePayloads,
  SECOND,
} from './ike-stage.ts';

/**
 * CVE-2013-6467 and CVE-2013-6466, NULL: a mandatory payload left out, or there under another number. Each
 * payload of each message in turn; what may be missing may, everything else is dropped.
 */
type Change = (payloads: readonly Payload[]) => readonly Payload[];

const leftOut =
  (at: number): Change =>
  (payloads) =>
    payloads.filter((_, index) => index !== at);
const renamed =
  (at: number): Change =>
  (payloads) =>
    payloads.map((payload, index) => (index === at ? { kind: 'HASH', data: new Uint8Array(32) } : payload));
const doubled =
  (at: number): Change =>
  (payloads) =>
    payloads.flatMap((payload, index) => (index === at ? [payload, payload] : [payload]));
const CHANGES = [leftOut, renamed, doubled];

/** One client's handshake, with one of its messages in the clear changed on the way. */
async function withChanged(
  world: World,
  lab: Lab,
  number: number,
  message: 0 | 1,
  change: Change,
): Promise<Station> {
  const station = lab.station(modern.ike, { ours: `198.51.100.${number}` });
  const seen: string[] = [];
  station.filter = (direction, octets) => {
    if (direction === 'in') return true;
    if (!seen.includes(toHex(octets))) seen.push(toHex(octets));
    if (seen.indexOf(toHex(octets)) !== message) return seen.length <= message;
    lab.inject(clearlyChanged(octets, change), { address: `198.51.100.${number}`, port: 500 });
    return false;
  };
  station.initiator.connect();
  await world.run(100);
  return station;
}

function clearlyChanged(octets: Uint8Array, change: Change): Uint8Array {
  const message = parseClearMessage(octets);
  if (!message.ok) throw new Error('a client speaks well');
  const { header, chain } = message.value;
  const { first, octets: rest } = emitChain(change(chain.links.map(({ payload }) => payload)));
  return emitWithHeader(header, first, 0, rest);
}

describe('in the clear', () => {
  test.each([
    ['MM1: SA, VID, VID', 0, 3],
    ['MM3: KE, Ni, NAT-D, NAT-D', 1, 4],
  ] as const)('%s', (_, message, count) =>
    inWorld({ seed: 530 + message }, async (world) => {
      const lab = await openLab(world);
      let number = 10;
      for (const make of CHANGES) {
        for (let at = 0; at < count; at += 1) {
          number += 1;
          await withChanged(world, lab, number, message, make(at));
        }
      }
      const drops = ['missing', 'unexpected', 'duplicate'].map((reason) =>
        dropped(lab, `malformed-${reason}`),
      );
      // Left out: SA of MM1; KE and Ni of MM3. Twice: the same. As HASH: every payload.
      expect(drops).toEqual(message === 0 ? [0, 1 + count, 1] : [2, count, 2]);
      expect(lab.logged('isakmp sa established')).toEqual([]);
      expectUnharmed(lab);
    }),
  );
});

test('MM5: IDii, HASH_I', () =>
  inWorld({ seed: 540 }, async (world) => {
    for (const make of CHANGES) {
      for (const at of [0, 1]) {
        const lab = await openLab(world);
        const station = lab.station(modern.ike);
        station.filter = (direction, octets) => {
          const mm5 = direction === 'out' && octets[18] === EXCHANGE.identityProtection && octets[19] === 1;
          const channel = station.initiator.channel;
          // What left is sealed already; the same channel cannot seal it anew, so its plaintext is made up.
          if (mm5 && channel !== undefined) {
            const id = quickModePayloads(0x9000_0001)[2];
            const payloads = make(at)([id, { kind: 'HASH', data: new Uint8Array(32) }]);
            lab.inject(channel.seal(EXCHANGE.identityProtection, 0, payloads), HOST);
          }
          return !mm5;
        };
        station.initiator.connect();
        await world.run(SECOND);
        expect(lab.logged('isakmp sa established')).toEqual([]);
        expectUnharmed(lab);
        lab.runtime.crash();
      }
    }
  }));

test('Quick Mode: HASH(1), SA, Ni, IDci, IDcr; the HASH is right for what is there', () =>
  inWorld({ seed: 541 }, async (world) => {
    const { lab, channel } = await established(world);
    const before = lab.entries().length;
    let messageId = 0x0b00_0000;
    for (const make of CHANGES) {
      // The first is a HASH already: under that name it would be right.
      for (let at = make === renamed ? 1 : 0; at < 5; at += 1) {
        messageId += 1;
        const rest = quickModePayloads(0x9000_0000 + messageId);
        const hashed: readonly Payload[] = [{ kind: 'HASH', data: new Uint8Array(32) }, ...rest];
        const changed = make(at)(hashed);
        const data = hashOver(channel, messageId, changed.slice(1));
        const payloads = changed.map(
          (payload, index): Payload =>
            index === 0 && payload.kind === 'HASH' ? { kind: 'HASH', data } : payload,
        );
        const { octets } = emitChain(payloads);
        expect(parseChain(octets, 0, 8).ok || at === 0).toBe(true);
        lab.inject(channel.seal(EXCHANGE.quickMode, messageId, payloads), HOST);
        await world.run(10);
      }
    }
    expect(lab.entries()).toHaveLength(before);
    expectUnharmed(lab);
  }));

test('a message of a header alone', () =>
  inWorld({ seed: 542 }, async (world) => {
    const { lab, channel } = await established(world);
    for (const exchange of [EXCHANGE.quickMode, EXCHANGE.informational, EXCHANGE.identityProtection]) {
      for (const first of [0, 1, 8, 255]) {
        const fields = {
          initiatorCookie: channel.of.initiatorCookie,
          responderCookie: channel.of.responderCookie,
          exchange,
          messageId: 77 + first,
        };
        for (const flags of [0, 1]) lab.inject(emitWithHeader(fields, first, flags, new Uint8Array(0)), HOST);
        lab.inject(
          concat(emitWithHeader(fields, first, 1, new Uint8Array(0)).subarray(0, ISAKMP_HEADER_OCTETS)),
        );
      }
    }
    await world.run(10);
    expectUnharmed(lab);
  }));
