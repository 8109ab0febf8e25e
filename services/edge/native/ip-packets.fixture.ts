/** User packets with right lengths and checksums, and their segmentation as a kernel does it. */
import { checksumOf, parseAddress, pseudoHeaderSum, sumOf } from '@culvert/wire/ip';
import type { Client } from './rig.fixture.ts';

const FAR = { 4: '203.0.113.5', 6: '2001:db8:ffff::5' };
const TCP = 6;
const UDP = 17;

export interface PacketOptions {
  readonly family?: 4 | 6;
  readonly toClient?: boolean;
  readonly payload?: Uint8Array;
  readonly ports?: readonly [source: number, destination: number];
  readonly id?: number;
  readonly dontFragment?: boolean;
  readonly tos?: number;
  readonly ttl?: number;
  readonly flags?: number;
  readonly sequence?: number;
  readonly acknowledgement?: number;
  readonly window?: number;
  readonly options?: readonly number[];
}

export function udpPacket(client: Client, options: PacketOptions): Uint8Array {
  const payload = options.payload ?? new Uint8Array(32);
  const datagram = new Uint8Array(8 + payload.length);
  const view = new DataView(datagram.buffer);
  const [source, destination] = options.ports ?? [5000, 6000];
  view.setUint16(0, source);
  view.setUint16(2, destination);
  view.setUint16(4, datagram.length);
  datagram.set(payload, 8);
  return ipPacket(client, options, UDP, datagram, 6);
}

export function tcpPacket(client: Client, options: PacketOptions): Uint8Array {
  const { payload = new Uint8Array(32), options: more = [] } = options;
  const header = 20 + more.length;
  const segment = new Uint8Array(header + payload.length);
  const view = new DataView(segment.buffer);
  const [source, destination] = options.ports ?? [443, 50_000];
  view.setUint16(0, source);
  view.setUint16(2, destination);
  view.setUint32(4, options.sequence ?? 1);
  view.setUint32(8, options.acknowledgement ?? 77);
  view.setUint8(12, (header / 4) << 4);
  view.setUint8(13, options.flags ?? 0x10);
  view.setUint16(14, options.window ?? 500);
  segment.set(more, 20);
  segment.set(payload, header);
  return ipPacket(client, options, TCP, segment, 16);
}

function ipPacket(
  client: Client,
  options: PacketOptions,
  protocol: number,
  upper: Uint8Array,
  checksumAt: number,
): Uint8Array {
  const { family = 4, tos = 0, ttl = 64, toClient = false } = options;
  const own = address(family === 4 ? client.ipv4 : client.ipv6);
  const far = address(FAR[family]);
  const [source, destination] = toClient ? [far, own] : [own, far];
  const header = family === 4 ? 20 : 40;
  const packet = new Uint8Array(header + upper.length);
  const view = new DataView(packet.buffer);
  packet.set(upper, header);
  if (family === 4) {
    packet[0] = 0x45;
    packet[1] = tos;
    view.setUint16(4, options.id ?? 0);
    view.setUint16(6, options.dontFragment === false ? 0 : 0x4000);
    packet[8] = ttl;
    packet[9] = protocol;
    packet.set(source.subarray(12), 12);
    packet.set(destination.subarray(12), 16);
  } else {
    packet[0] = 0x60 | (tos >>> 4);
    packet[1] = (tos & 15) << 4;
    packet[6] = protocol;
    packet[7] = ttl;
    packet.set(source, 8);
    packet.set(destination, 24);
  }
  return summed(packet, checksumAt);
}

function address(text: string): Uint8Array {
  const read = parseAddress(text);
  if (!read.ok) throw new Error(text);
  return read.value;
}

/** Lengths (but those of UDP) and checksums made right, in place. The TCP segment fits, so does the header. */
function summed(packet: Uint8Array, checksumAt: number): Uint8Array {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const ipv4 = (packet[0] ?? 0) >>> 4 === 4;
  const header = ipv4 ? 20 : 40;
  if (ipv4) {
    // More than the field can say is a super-packet's lie, which nobody reads.
    view.setUint16(2, packet.length);
    view.setUint16(10, 0);
    view.setUint16(10, checksumOf(sumOf(packet, 0, 20)));
  } else view.setUint16(4, packet.length - 40);
  view.setUint16(header + checksumAt, 0);
  const sum = upperChecksum(packet);
  view.setUint16(header + checksumAt, sum === 0 && checksumAt === 6 ? 0xffff : sum);
  return packet;
}

function upperChecksum(packet: Uint8Array): number {
  const ipv4 = (packet[0] ?? 0) >>> 4 === 4;
  const header = ipv4 ? 20 : 40;
  const [from, size] = ipv4 ? [12, 4] : [8, 16];
  const addresses = packet.subarray(from, from + 2 * size);
  const protocol = packet[ipv4 ? 9 : 6] ?? 0;
  const pseudo = pseudoHeaderSum(
    addresses.subarray(0, size),
    addresses.subarray(size),
    protocol,
    packet.length - header,
  );
  return checksumOf(sumOf(packet, header, packet.length, pseudo));
}

/** Whether the transport's checksum holds, as a receiver sees it. */
export const holds = (packet: Uint8Array) => upperChecksum(packet) === 0;

const [FIN, PSH, CWR] = [1, 8, 0x80];

/** What the kernel's own segmentation makes of a super-packet (tcp_gso_segment, __udp_gso_segment). */
export function segmented(packet: Uint8Array, segment: number): Uint8Array[] {
  const ipv4 = (packet[0] ?? 0) >>> 4 === 4;
  const ip = ipv4 ? 20 : 40;
  const tcp = packet[ipv4 ? 9 : 6] === TCP;
  const headers = ip + (tcp ? ((packet[ip + 12] ?? 0) >>> 4) * 4 : 8);
  const whole = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const out: Uint8Array[] = [];
  for (let at = headers; at < packet.length; at += segment) {
    const payload = packet.subarray(at, at + segment);
    const one = new Uint8Array(headers + payload.length);
    one.set(packet.subarray(0, headers));
    one.set(payload, headers);
    const view = new DataView(one.buffer);
    if (ipv4) view.setUint16(4, (whole.getUint16(4) + out.length) & 0xffff);
    if (tcp) {
      const last = at + segment >= packet.length;
      const cleared = (last ? 0 : FIN | PSH) | (out.length > 0 ? CWR : 0);
      view.setUint32(ip + 4, (whole.getUint32(ip + 4) + at - headers) >>> 0);
      view.setUint8(ip + 13, whole.getUint8(ip + 13) & ~cleared);
    } else view.setUint16(ip + 4, 8 + payload.length);
    out.push(summed(one, tcp ? 16 : 6));
  }
  return out;
}
