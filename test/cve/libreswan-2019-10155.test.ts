import { cbcBlockOctets, decryptCbc, encryptCbc } from '@culvert/crypto';
import { be32, concat } from '@culvert/wire';
import { DOI, EXCHANGE, ISAKMP_HEADER_OCTETS, type Payload, PROTOCOL } from '@culvert/wire/ike';
import { describe, expect, test } from 'vitest';
import type { Station } from '../exchange/ike/lab.ts';
import { inWorld } from '../sim/index.ts';
import {
  answersIn,
  dropped,
  established,
  expectUnharmed,
  HOST,
  hashOver,
  quickModePayloads,
  type Stage,
  stoppedAfter,
  withBit,
} from './ike-stage.ts';

/**
 * CVE-2019-10155, missing integrity check: an IKEv1 INFORMATIONAL was believed without its HASH. Each bit
 * of the HASH of each exchange of phase 2, and each length that is not the hash's.
 */
const HASH_OCTETS = 32;
const bits = Array.from({ length: HASH_OCTETS * 8 }, (_, bit) => bit);
const wrongLengths = (data: Uint8Array) => [
  new Uint8Array(0),
  data.subarray(0, 1),
  data.subarray(0, HASH_OCTETS - 1),
  concat(data, Uint8Array.of(0)),
  concat(data, data),
];

describe.each([
  ['INFORMATIONAL', EXCHANGE.informational],
  ['Quick Mode, first message', EXCHANGE.quickMode],
] as const)('%s', (_, exchange) => {
  test('a HASH that is not the right one changes nothing', () =>
    inWorld({ seed: 400 }, async (world) => {
      const { lab, station, channel } = await established(world);
      const spi = be32(station.sas[0]?.inboundSpi ?? 0);
      const payloads: readonly Payload[] =
        exchange === EXCHANGE.quickMode
          ? quickModePayloads(0x9000_0001)
          : [{ kind: 'D', doi: DOI.IPSEC, protocol: PROTOCOL.ESP, spis: [spi] }];
      const answers = answersIn(world);
      const before = lab.entries();
      let messageId = 0x0a00_0000;
      const say = (change: (hash: Uint8Array) => Uint8Array) => {
        messageId += 1;
        const data = change(hashOver(channel, messageId, payloads));
        lab.inject(channel.seal(exchange, messageId, [{ kind: 'HASH', data }, ...payloads]), HOST);
      };
      for (const bit of bits) {
        say((hash) => withBit(hash, bit));
        if (bit % 32 === 0) await world.run(1);
      }
      await world.run(1);
      for (let index = 0; index < wrongLengths(new Uint8Array(HASH_OCTETS)).length; index += 1) {
        say((hash) => wrongLengths(hash)[index] ?? hash);
      }
      await world.run(10);
      expect(lab.entries()).toEqual(before);
      expect(answers).toEqual([]);
      // No HASH at all is no message of phase 2; the reason is that of a wrong key.
      expect([dropped(lab, 'wrong-hash'), dropped(lab, 'bad-ciphertext')]).toEqual([bits.length + 4, 1]);
      expectUnharmed(lab);
      // The right one is taken: it was the HASH and nothing else that was wrong.
      say((hash) => hash);
      await world.run(10);
      expect(lab.entries()).not.toEqual(before);
    }));
});

test('Quick Mode, third message: a wrong HASH(3) is not the proof that is awaited', () =>
  inWorld({ seed: 401 }, async (world) => {
    const { lab, station } = await stoppedAfter(world, 4);
    const qm3 = station.sent.at(-1);
    const qm2 = station.received.at(-1);
    if (qm3 === undefined || qm2 === undefined) throw new Error('the client has made its third message');
    for (const bit of bits) {
      lab.inject(rewritten({ lab, station }, qm3, qm2, bit), HOST);
      if (bit % 32 === 0) await world.run(1);
    }
    await world.run(10);
    expect(dropped(lab, 'wrong-hash')).toBe(bits.length);
    expect(lab.logged('ipsec sa established')).toEqual([]);
    expectUnharmed(lab);
    lab.inject(qm3, HOST);
    await world.run(10);
    expect(lab.logged('ipsec sa established')).toHaveLength(1);
  }));

/** The same message with one bit of its HASH turned over; the IV is the last block of the one before. */
function rewritten({ station }: Stage, octets: Uint8Array, before: Uint8Array, bit: number): Uint8Array {
  const { suite, encryptionKey } = channelOf(station).of;
  const iv = before.slice(-cbcBlockOctets(suite.cipher));
  const plain = decryptCbc(suite.cipher, encryptionKey, iv, octets.subarray(ISAKMP_HEADER_OCTETS));
  if (plain === undefined) throw new Error('the key is right');
  const changed = withBit(plain.octets, 4 * 8 + bit);
  const { octets: sealed } = encryptCbc(suite.cipher, encryptionKey, iv, changed);
  return concat(octets.subarray(0, ISAKMP_HEADER_OCTETS), sealed);
}

function channelOf({ initiator }: Station) {
  if (initiator.channel === undefined) throw new Error('the client has keys');
  return initiator.channel;
}
