import type { DialIn, SimClient } from '../scenario/dial-in.ts';
import type { SimGateway } from '../scenario/gateway.ts';
import { udpPacket } from '../scenario/packets.ts';
import type { World } from '../sim/index.ts';

export const CORPORATE = '10.0.0.80';
const DATA_OFFSET = 28;
const MARK_OCTETS = 12;

/** One dialling of one client. Its user packets carry a mark that no other packet has (INV-10). */
export interface Citizen {
  readonly sim: SimClient;
  readonly mark: Uint8Array;
  /** Inner addresses that the gateway has given it, dotted. */
  readonly addresses: Set<string>;
  /** Whether it plays by the rules, so that faults of its own code are the gateway's. */
  readonly honest: boolean;
}

export function citizen(world: World, sim: SimClient, honest = true): Citizen {
  return { sim, mark: world.chance.octets(MARK_OCTETS), addresses: new Set(), honest };
}

/** Its inner address now; also noted as one it has had. */
export function innerAddress(one: Citizen): string | undefined {
  const { ipv4 } = one.sim.client.ppp.addresses;
  const address = ipv4?.join('.');
  if (address !== undefined) one.addresses.add(address);
  return address;
}

export function markedPacket(one: Citizen, from: string, to: string, length = 40): Uint8Array {
  const packet = udpPacket(from, to, 4000, 4001, Math.max(length, MARK_OCTETS));
  packet.set(one.mark, DATA_OFFSET);
  return packet;
}

export function carriesMark(packet: Uint8Array, mark: Uint8Array): boolean {
  return Buffer.from(packet.buffer, packet.byteOffset, packet.length).includes(Buffer.from(mark));
}

const PING_LIMIT_MS = 3_000;

/** One packet each way; throws when one does not come through. */
export async function ping(world: World, gateway: SimGateway, one: Citizen): Promise<void> {
  const ours = innerAddress(one);
  if (ours === undefined) throw new Error(`${one.sim.address} has no inner address`);
  const before = [gateway.corporate.length, one.sim.packets.length] as const;
  const came = (packets: readonly Uint8Array[], from: number) =>
    packets.slice(from).some((packet) => carriesMark(packet, one.mark));
  one.sim.client.sendPacket(markedPacket(one, ours, CORPORATE));
  await within(world, () => came(gateway.corporate, before[0]), `${one.sim.address}: no packet came out`);
  gateway.plane.inner(markedPacket(one, CORPORATE, ours));
  await within(world, () => came(one.sim.packets, before[1]), `${one.sim.address}: no packet came back`);
}

export async function within(
  world: World,
  done: () => boolean,
  complaint: string,
  limitMs = PING_LIMIT_MS,
): Promise<void> {
  try {
    await world.until(done, limitMs);
  } catch (error) {
    throw new Error(complaint, { cause: error });
  }
}

/** Whether the dial has come to an end, good or bad. */
export function settled({ client }: SimClient): boolean {
  return client.up || client.ended !== undefined || client.ike.stage === 'failed';
}

/** What a client that did not get in says of it. */
export function outcome({ client }: SimClient): string {
  if (client.up) return 'up';
  return `${client.ended ?? ''} IKE ${client.ike.stage} L2TP ${client.lac.state} LCP ${client.ppp.lcpState} ${client.ppp.refusal}`;
}

export type { DialIn };
