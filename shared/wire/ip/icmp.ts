import { viewOf } from '../octets.ts';
import { checksumOf, pseudoHeaderSum, sumOf } from './checksum.ts';
import { emitIpv4Header, IPV4_HEADER_OCTETS } from './ipv4.ts';
import { emitIpv6Header, IPV6_HEADER_OCTETS, IPV6_MTU_MIN } from './ipv6.ts';
import { ICMP, ICMPV6 } from './protocols.ts';

const ICMP_HEADER_OCTETS = 8;
/** RFC 1812 §4.3.2.3: an ICMPv4 error is at most 576 octets. */
const ERROR4_MAX = 576;
const HOP_LIMIT = 64;

const UNREACHABLE = 3;
const FRAGMENTATION_NEEDED = 4;
const ECHO_REPLY4 = 0;
const ECHO4 = 8;
const PACKET_TOO_BIG = 2;

/** RFC 792 and RFC 1191 §4: Destination Unreachable, fragmentation needed, with the next-hop MTU. */
export function emitFragmentationNeeded(
  refused: Uint8Array,
  source: Uint8Array,
  destination: Uint8Array,
  mtu: number,
): Uint8Array {
  const quoted = Math.min(refused.length, ERROR4_MAX - IPV4_HEADER_OCTETS - ICMP_HEADER_OCTETS);
  const packet = new Uint8Array(IPV4_HEADER_OCTETS + ICMP_HEADER_OCTETS + quoted);
  const at = emitIpv4Header(header4(source, destination), ICMP_HEADER_OCTETS + quoted, packet);
  packet[at] = UNREACHABLE;
  packet[at + 1] = FRAGMENTATION_NEEDED;
  const view = viewOf(packet);
  view.setUint16(at + 6, mtu);
  packet.set(refused.subarray(0, quoted), at + ICMP_HEADER_OCTETS);
  view.setUint16(at + 2, checksumOf(sumOf(packet, at)));
  return packet;
}

/** RFC 4443 §3.2: Packet Too Big. */
export function emitPacketTooBig(
  refused: Uint8Array,
  source: Uint8Array,
  destination: Uint8Array,
  mtu: number,
): Uint8Array {
  const quoted = Math.min(refused.length, IPV6_MTU_MIN - IPV6_HEADER_OCTETS - ICMP_HEADER_OCTETS);
  const length = ICMP_HEADER_OCTETS + quoted;
  const packet = new Uint8Array(IPV6_HEADER_OCTETS + length);
  const header = { nextHeader: ICMPV6, hopLimit: HOP_LIMIT, source, destination };
  const at = emitIpv6Header(header, length, packet);
  packet[at] = PACKET_TOO_BIG;
  const view = viewOf(packet);
  view.setUint32(at + 4, mtu);
  packet.set(refused.subarray(0, quoted), at + ICMP_HEADER_OCTETS);
  view.setUint16(
    at + 2,
    checksumOf(sumOf(packet, at, packet.length, pseudoHeaderSum(source, destination, ICMPV6, length))),
  );
  return packet;
}

/** RFC 792 Echo: the reply to `message`, or undefined when it is no whole Echo. */
export function emitEchoReply4(
  message: Uint8Array,
  source: Uint8Array,
  destination: Uint8Array,
): Uint8Array | undefined {
  if (message.length < ICMP_HEADER_OCTETS || message[0] !== ECHO4 || message[1] !== 0) return undefined;
  const packet = new Uint8Array(IPV4_HEADER_OCTETS + message.length);
  const at = emitIpv4Header(header4(source, destination), message.length, packet);
  packet.set(message, at);
  packet[at] = ECHO_REPLY4;
  const view = viewOf(packet);
  view.setUint16(at + 2, 0);
  view.setUint16(at + 2, checksumOf(sumOf(packet, at)));
  return packet;
}

/** RFC 1122 §3.2.2, RFC 4443 §2.4(e): no error may answer one of these. */
export function isIcmp4Error(message: Uint8Array): boolean {
  const type = message[0] ?? 0;
  return type === UNREACHABLE || type === 4 || type === 5 || type === 11 || type === 12;
}

export function isIcmp6Error(message: Uint8Array): boolean {
  return (message[0] ?? 0) < 128;
}

function header4(source: Uint8Array, destination: Uint8Array) {
  return {
    typeOfService: 0,
    identification: 0,
    dontFragment: true,
    moreFragments: false,
    fragmentOffset: 0,
    timeToLive: HOP_LIMIT,
    protocol: ICMP,
    source,
    destination,
    options: new Uint8Array(0),
  };
}
