import { be32, toHex } from '@culvert/wire';
import { EXCHANGE, ID_TYPE, type IdPayload, NOTIFY, type Payload } from '@culvert/wire/ike';
import { expect, test } from 'vitest';
import { phase2Offer } from '../peer/isakmp-offer.ts';
import { modern } from '../peer/profile.ts';
import { inWorld } from '../sim/index.ts';
import { established, expectUnharmed, HOST, quickModePayloads, type Stage } from './ike-stage.ts';

/**
 * CVE-2023-38711, NULL: a Quick Mode whose IDcr was a name where an address was expected. CVE-2023-38710,
 * assert: a protocol number of the peer was echoed into our own message. All types in both places, all
 * protocols, SPIs of any length.
 */
const DATA: Readonly<Record<number, Uint8Array>> = {
  [ID_TYPE.ID_IPV4_ADDR]: Uint8Array.of(198, 51, 100, 7),
  [ID_TYPE.ID_IPV4_ADDR_SUBNET]: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0),
  [ID_TYPE.ID_IPV4_ADDR_RANGE]: new Uint8Array(8),
  [ID_TYPE.ID_IPV6_ADDR]: new Uint8Array(16).fill(1),
  [ID_TYPE.ID_IPV6_ADDR_SUBNET]: new Uint8Array(32),
  [ID_TYPE.ID_IPV6_ADDR_RANGE]: new Uint8Array(32),
};
const TYPES = [...Object.values(ID_TYPE), 0, 12, 13, 255];
const SINGLE_HOST: readonly number[] = [ID_TYPE.ID_IPV4_ADDR, ID_TYPE.ID_IPV6_ADDR, ID_TYPE.ID_FQDN];

type Established = Stage & Awaited<ReturnType<typeof established>>;
let messageId = 0x0c00_0000;

/** The outcome of a Quick Mode; one that succeeded is deleted again. */
async function outcome(
  { lab, station, channel }: Established,
  spi: number,
  payloads: readonly Payload[],
): Promise<'taken' | 'refused' | 'silence'> {
  const said = station.initiator.notified.length;
  messageId += 1;
  lab.inject(channel.sealHashed(EXCHANGE.quickMode, messageId, payloads), HOST);
  await lab.world.run(20);
  if (lab.entries().some((entry) => entry.outboundSpi === spi)) {
    station.initiator.deleteEsp([spi]);
    await lab.world.run(20);
    return 'taken';
  }
  return station.initiator.notified.length > said ? 'refused' : 'silence';
}

const identity = (like: IdPayload, idType: number): IdPayload => ({
  ...like,
  idType,
  data: DATA[idType] ?? new TextEncoder().encode('gw.example'),
});

test.each(['initiator', 'responder', 'both'] as const)('every ID type as identity of the %s', (place) =>
  inWorld({ seed: 550 }, async (world) => {
    const stage = await established(world);
    let spi = 0x9000_0000;
    for (const idType of TYPES) {
      spi += 1;
      const [sa, nonce, initiator, responder] = quickModePayloads(spi);
      const ids = [
        place === 'responder' ? initiator : identity(initiator, idType),
        place === 'initiator' ? responder : identity(responder, idType),
      ];
      const got = await outcome(stage, spi, [sa, nonce, ...ids]);
      expect([idType, got]).toEqual([idType, SINGLE_HOST.includes(idType) ? 'taken' : 'refused']);
    }
    expect(new Set(stage.station.initiator.notified)).toEqual(new Set([NOTIFY['INVALID-ID-INFORMATION']]));
    expectUnharmed(stage.lab);
  }),
);

test('every protocol number and SPIs of every telling length are refused, and said so in a sound message', () =>
  inWorld({ seed: 551 }, async (world) => {
    const stage = await established(world);
    const [, nonce, initiator, responder] = quickModePayloads(0x9000_0001);
    const [proposal] = phase2Offer(modern.ike, be32(0x9000_0001), false, false).proposals;
    if (proposal === undefined) throw new Error('a profile offers something');
    const spis = [0, 1, 3, 5, 8, 16, 255].map((length) => new Uint8Array(length).fill(0x90));
    const proposals = [
      ...Array.from({ length: 256 }, (_, protocol) => ({ ...proposal, protocol })).filter(
        ({ protocol }) => protocol !== 3,
      ),
      ...spis.map((spi) => ({ ...proposal, spi })),
      { ...proposal, spi: be32(255) },
    ];
    for (const wrong of proposals) {
      const sa: Payload = { kind: 'SA', proposals: [wrong] };
      const got = await outcome(stage, 0x9000_0001, [sa, nonce, initiator, responder]);
      // Some shapes do not even parse; nothing is taken and nobody is hurt.
      expect([wrong.protocol, toHex(wrong.spi), got === 'taken']).toEqual([
        wrong.protocol,
        toHex(wrong.spi),
        false,
      ]);
    }
    expect(new Set(stage.station.initiator.notified)).toEqual(new Set([NOTIFY['NO-PROPOSAL-CHOSEN']]));
    expectUnharmed(stage.lab);
  }));
