/** Inner packets of both families: good ones, and those that lie in every field an engine looks at. */
import { checksumOf, sumOf } from '@culvert/wire/ip';
import type { Dice, Weighted } from './dice.ts';

export interface Ends {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
}

const EMPTY = new Uint8Array(0);
const TCP = 6;
const UDP = 17;
const ICMP = 1;
const ICMPV6 = 58;
/** Few, so that rules and selectors meet them. */
export const PORTS = [22, 53, 80, 443, 547, 8080, 65_535, 0] as const;

export function ipPacket(dice: Dice, ends: Ends, longest = 1600): Uint8Array {
  const packet = ends.source.length === 4 ? ipv4(dice, ends, longest) : ipv6(dice, ends, longest);
  return dice.happens(0.06) ? lying(dice, packet) : packet;
}

const SIZES: readonly Weighted<readonly [number, number]>[] = [
  [4, [0, 8]],
  [60, [8, 120]],
  [10, [500, 600]],
  [12, [1150, 1500]],
  [2, [1500, 4000]],
];

function payloadLength(dice: Dice, longest: number): number {
  const [from, to] = dice.weighted(SIZES);
  return Math.min(longest, dice.between(from, to));
}

const PROTOCOLS4: readonly Weighted<number>[] = [
  [35, TCP],
  [30, UDP],
  [14, ICMP],
  [4, 132],
  [3, 136],
  [3, 33],
  [2, 47],
  [2, 4],
  [1, 41],
];

function ipv4(dice: Dice, { source, destination }: Ends, longest: number): Uint8Array {
  const protocol = dice.happens(0.03) ? dice.below(256) : dice.weighted(PROTOCOLS4);
  const payload = upperLayer(dice, protocol, payloadLength(dice, longest));
  const options = dice.happens(0.08) ? options4(dice) : EMPTY;
  const headerLength = 20 + options.length;
  // Padding of the link below, sometimes.
  const packet = new Uint8Array(headerLength + payload.length + (dice.happens(0.05) ? dice.below(40) : 0));
  const total = headerLength + payload.length;
  packet[0] = 0x40 | (headerLength / 4);
  packet[1] = dice.happens(0.5) ? dice.below(4) : dice.below(256);
  packet[2] = total >>> 8;
  packet[3] = total;
  packet[4] = dice.below(256);
  packet[5] = dice.below(256);
  let flags = dice.happens(0.4) ? 0x4000 : 0;
  if (dice.happens(0.08)) flags |= dice.pick([0x2000, 0x2000, 0x2001, 1, 8, 185, 0x1fff, 0x8000, 0x1f00]);
  packet[6] = flags >>> 8;
  packet[7] = flags;
  packet[8] = dice.below(256);
  packet[9] = protocol;
  packet.set(source, 12);
  packet.set(destination, 16);
  packet.set(options, 20);
  packet.set(payload, headerLength);
  const sum = checksumOf(sumOf(packet, 0, headerLength));
  packet[10] = sum >>> 8;
  packet[11] = sum;
  return packet;
}

const OPTIONS4: readonly (readonly number[])[] = [
  [1, 1, 1, 0],
  [7, 7, 4, 0, 0, 0, 0, 0],
  [0x94, 4, 0, 0],
  [1, 0x94, 4, 0, 0, 68, 4, 5],
  [131, 7, 4, 192, 0, 2, 1, 0],
  [137, 3, 4, 0],
  [1, 131, 3, 4],
  [7, 0, 0, 0],
  [7, 9, 4, 0],
  [7, 1, 0, 0],
  [1, 1, 1, 7],
  [0, 131, 3, 4],
  [0x94, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0x88, 4, 0, 1, 0],
];

function options4(dice: Dice): Uint8Array {
  return dice.happens(0.1)
    ? dice.filler(4 * dice.between(1, 10))
    : Uint8Array.from(dice.pick(OPTIONS4)).slice(0, 40);
}

const PROTOCOLS6: readonly Weighted<number>[] = [
  [35, TCP],
  [28, UDP],
  [20, ICMPV6],
  [3, 132],
  [3, 136],
  [2, 33],
  [2, 59],
  [2, 4],
];

const CHAINS6: readonly (readonly number[])[] = [
  [0],
  [60],
  [43],
  [44],
  [44],
  [0, 60],
  [60, 44],
  [0, 43, 60],
  [60, 60, 60, 60],
  [60, 60, 60, 60, 60],
  [60, 0],
  [44, 44],
  [44, 60],
  [0, 60, 43, 44],
];

function ipv6(dice: Dice, { source, destination }: Ends, longest: number): Uint8Array {
  const protocol = dice.happens(0.03) ? dice.below(256) : dice.weighted(PROTOCOLS6);
  const chain = dice.happens(0.15) ? dice.pick(CHAINS6) : [];
  const upper = upperLayer(dice, protocol, payloadLength(dice, longest));
  const extensions = chain.map((kind, index) => extension(dice, kind, chain[index + 1] ?? protocol));
  const length = extensions.reduce((sum, { length: more }) => sum + more, upper.length);
  const packet = new Uint8Array(40 + length + (dice.happens(0.05) ? dice.below(40) : 0));
  const trafficClass = dice.happens(0.5) ? dice.below(4) : dice.below(256);
  packet[0] = 0x60 | (trafficClass >>> 4);
  packet[1] = (trafficClass << 4) | dice.below(16);
  packet[4] = length >>> 8;
  packet[5] = length;
  packet[6] = chain[0] ?? protocol;
  packet[7] = dice.below(256);
  packet.set(source, 8);
  packet.set(destination, 24);
  let at = 40;
  for (const part of [...extensions, upper]) {
    packet.set(part, at);
    at += part.length;
  }
  return packet;
}

function extension(dice: Dice, kind: number, next: number): Uint8Array {
  const units = kind === 44 || dice.happens(0.8) ? 0 : dice.below(3);
  const header = dice.filler(8 + units * 8);
  header[0] = next;
  if (kind === 44) {
    header[2] = dice.happens(0.6) ? 0 : dice.below(256);
    header[3] = dice.pick([0, 1, 1, 8, 6, 7, 9]);
  } else header[1] = dice.happens(0.03) ? dice.below(256) : units;
  return header;
}

function upperLayer(dice: Dice, protocol: number, length: number): Uint8Array {
  if (protocol === TCP) return tcpSegment(dice, length);
  const payload = dice.filler(length);
  if (protocol === ICMP || protocol === ICMPV6) {
    const types =
      protocol === ICMP
        ? ([8, 8, 8, 0, 3, 5, 11, 13] as const)
        : ([128, 129, 1, 2, 133, 134, 135, 136] as const);
    if (length > 0) payload[0] = dice.pick(types);
    if (length > 1) payload[1] = dice.happens(0.9) ? 0 : dice.below(256);
    return payload;
  }
  if (length >= 4) ports(dice, payload);
  if (protocol === UDP && length >= 6) {
    payload[4] = length >>> 8;
    payload[5] = length;
  }
  return payload;
}

function ports(dice: Dice, payload: Uint8Array): void {
  for (const at of [0, 2]) {
    const port = dice.happens(0.8) ? dice.pick(PORTS) : dice.below(65_536);
    payload[at] = port >>> 8;
    payload[at + 1] = port;
  }
}

const TCP_OPTIONS: readonly (readonly number[])[] = [
  [2, 4, 5, 180],
  [2, 4, 5, 180, 1, 3, 3, 8, 1, 1, 4, 2],
  [1, 2, 4, 5, 180, 0, 0, 0],
  [1, 1, 2, 4, 255, 255, 1, 0],
  [2, 4, 4, 176],
  [2, 4, 1, 0],
  [8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 4, 5, 220, 0],
  [2, 3, 5, 0],
  [2, 5, 5, 220, 0, 0, 0, 0],
  [2, 0, 5, 220],
  [3, 200, 2, 4],
  [0, 2, 4, 5],
  [1, 1, 1, 2],
  [30, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 4, 35, 0],
];

function tcpSegment(dice: Dice, length: number): Uint8Array {
  const options = dice.happens(0.6) ? dice.pick(TCP_OPTIONS) : [];
  // Too short a segment stays what it is.
  const size = length < 8 ? length : Math.max(length, 20 + options.length);
  const segment = dice.filler(size);
  if (size < 20) return segment;
  ports(dice, segment);
  segment[12] = ((20 + options.length) / 4) << 4;
  segment[13] = dice.happens(0.6) ? dice.pick([2, 0x12, 0xc2, 3]) : dice.pick([0x10, 0x18, 4, 1]);
  segment.set(options, 20);
  if (dice.happens(0.03)) segment[12] = dice.below(256);
  if (dice.happens(0.1))
    segment.set(
      dice.pick([
        [0, 0],
        [255, 255],
        [255, 254],
      ]),
      16,
    );
  return segment;
}

/** One lie in the header, with a right checksum half of the time so that it is not the checksum that refuses. */
function lying(dice: Dice, packet: Uint8Array): Uint8Array {
  const four = (packet[0] ?? 0) >>> 4 === 4;
  const kind = dice.below(5);
  if (kind === 0) return packet.slice(0, dice.below(packet.length + 1));
  if (kind === 1) packet[0] = dice.below(256);
  else if (kind === 2) {
    const at = four ? 2 : 4;
    const length = dice.pick([
      0,
      1,
      19,
      20,
      21,
      40,
      packet.length - 1,
      packet.length + 1,
      packet.length - 40,
      65_535,
    ]);
    packet[at] = length >>> 8;
    packet[at + 1] = length;
  } else if (kind === 3) packet[dice.below(Math.min(packet.length, four ? 20 : 48))] = dice.below(256);
  else flipBit(dice, packet, 80);
  const header = ((packet[0] ?? 0) & 15) * 4;
  if (four && dice.happens(0.5) && header >= 20 && header <= packet.length) {
    packet.fill(0, 10, 12);
    const sum = checksumOf(sumOf(packet, 0, header));
    packet[10] = sum >>> 8;
    packet[11] = sum;
  }
  return packet;
}

/** Turns one bit among the first `within` octets. */
export function flipBit(dice: Dice, octets: Uint8Array, within: number): void {
  if (octets.length === 0) return;
  const at = dice.below(Math.min(octets.length, within));
  octets[at] = (octets[at] ?? 0) ^ (1 << dice.below(8));
}
