import { hash1 } from '@culvert/crypto';
import { be32, toHex } from '@culvert/wire';
import { emitChain, ID_TYPE, type IdPayload, type Payload } from '@culvert/wire/ike';
import { expect } from 'vitest';
import { type Lab, openLab, type Station, type StationOptions } from '../exchange/ike/lab.ts';
import type { IsakmpChannel } from '../peer/isakmp-channel.ts';
import { phase2Offer } from '../peer/isakmp-offer.ts';
import { modern } from '../peer/profile.ts';
import type { World } from '../sim/index.ts';

export const SECOND = 1000;
export const HOST = { address: '198.51.100.7', port: 500 };

export interface Stage {
  readonly lab: Lab;
  readonly station: Station;
}

/** A client whose handshake stops after that many messages of its own: 1 is MM1, 2 MM3, 3 MM5, 4 QM1. */
export async function stoppedAfter(
  world: World,
  messages: number,
  given?: Lab,
  options?: StationOptions,
): Promise<Stage> {
  const lab = given ?? (await openLab(world));
  const station = lab.station(modern.ike, options);
  const passed = new Set<string>();
  station.filter = (direction, octets) => {
    if (direction === 'in' || passed.has(toHex(octets))) return true;
    if (passed.size === messages) return false;
    passed.add(toHex(octets));
    return true;
  };
  station.initiator.connect();
  await world.run(SECOND);
  return { lab, station };
}

/** A client with an ISAKMP SA, a pair of IPsec SAs, and a tunnel that keeps them. */
export async function established(world: World): Promise<Stage & { readonly channel: IsakmpChannel }> {
  const lab = await openLab(world);
  const station = lab.station(modern.ike);
  station.initiator.connect();
  await world.until(() => station.sas.length === 1, 20 * SECOND);
  await world.run(SECOND);
  await world.promised(lab.request(toHex(station.initiator.cookies.responder), { type: 'tunnel.opened' }));
  const { channel } = station.initiator;
  if (channel === undefined) throw new Error('an established client has a channel');
  return { lab, station, channel };
}

export function cookiesOf({ initiator }: Station) {
  const { cookies } = initiator;
  return { initiatorCookie: cookies.initiator, responderCookie: cookies.responder };
}

/** What the gateway says to anybody from now on. */
export function answersIn(world: World): Uint8Array[] {
  const answers: Uint8Array[] = [];
  world.broker.tap(({ subject, payload }) => {
    if (subject.startsWith('culvert.edge.ike')) answers.push((payload as { octets: Uint8Array }).octets);
  });
  return answers;
}

/** Nothing failed on our side: no fault, no session put away, no line that says error. */
export function expectUnharmed(lab: Lab): void {
  expect(lab.world.broker.faults).toEqual([]);
  expect(lab.drops()['culvert.host.quarantined{protocol=ike}']).toBeUndefined();
  expect(lab.runtime.telemetry.lines.filter(({ level }) => level === 'error')).toEqual([]);
}

/** How often the ike service dropped something for this reason. */
export function dropped(lab: Lab, reason: string): number {
  return lab.drops()[`culvert.host.drops{protocol=ike,reason=${reason}}`] ?? 0;
}

const single = (address: readonly number[], port: number): IdPayload => ({
  kind: 'ID',
  idType: ID_TYPE.ID_IPV4_ADDR,
  ipProtocol: 17,
  port,
  data: Uint8Array.from(address),
});

/** RFC 2409 §5.5: SA, Ni, IDci, IDcr of a first message that the gateway takes. */
export function quickModePayloads(spi: number): readonly [Payload, Payload, IdPayload, IdPayload] {
  return [
    phase2Offer(modern.ike, be32(spi), false, false),
    { kind: 'NONCE', data: new Uint8Array(32).fill(spi & 0xff) },
    single([198, 51, 100, 7], 1701),
    single([192, 0, 2, 1], 1701),
  ];
}

/** The right HASH(1) over these payloads. */
export function hashOver(
  channel: IsakmpChannel,
  messageId: number,
  payloads: readonly Payload[],
): Uint8Array {
  return hash1(channel.hash, channel.of.keys.a, messageId, emitChain(payloads).octets);
}

/** With one bit turned over. */
export function withBit(octets: Uint8Array, bit: number): Uint8Array {
  const changed = octets.slice();
  changed[bit >>> 3] = (changed[bit >>> 3] ?? 0) ^ (0x80 >>> (bit & 7));
  return changed;
}
