import { viewOf } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';
import { checksumOf, sumHolds, sumOf } from './checksum.ts';

export const IPV4_HEADER_OCTETS = 20;
const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const FRAGMENT_OFFSET = 0x1fff;

/** RFC 791 §3.1. Addresses, options and payload are views of the packet. */
export interface Ipv4Packet {
  readonly headerLength: number;
  readonly typeOfService: number;
  readonly totalLength: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** In octets. */
  readonly fragmentOffset: number;
  readonly timeToLive: number;
  readonly protocol: number;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly options: Uint8Array;
  readonly payload: Uint8Array;
}

/** Octets beyond Total Length (link padding) are ignored; fewer are refused. */
export function parseIpv4(octets: Uint8Array): Parsed<Ipv4Packet> {
  if (octets.length < IPV4_HEADER_OCTETS) return malformed('truncated', octets.length);
  const view = viewOf(octets);
  const first = view.getUint8(0);
  if (first >>> 4 !== 4) return malformed('bad-version', 0);
  const headerLength = (first & 0x0f) * 4;
  const totalLength = view.getUint16(2);
  if (headerLength < IPV4_HEADER_OCTETS || headerLength > totalLength) return malformed('bad-length', 0);
  if (totalLength > octets.length) return malformed('truncated', 2);
  const flags = view.getUint16(6);
  const fragmentOffset = (flags & FRAGMENT_OFFSET) * 8;
  // A fragment that ends beyond the largest packet is the oldest of attacks.
  if (fragmentOffset + totalLength - headerLength > 0xffff) return malformed('bad-value', 6);
  if (!sumHolds(sumOf(octets, 0, headerLength))) return malformed('bad-checksum', 10);
  return parsed({
    headerLength,
    typeOfService: view.getUint8(1),
    totalLength,
    identification: view.getUint16(4),
    dontFragment: (flags & DONT_FRAGMENT) !== 0,
    moreFragments: (flags & MORE_FRAGMENTS) !== 0,
    fragmentOffset,
    timeToLive: view.getUint8(8),
    protocol: view.getUint8(9),
    source: octets.subarray(12, 16),
    destination: octets.subarray(16, 20),
    options: octets.subarray(IPV4_HEADER_OCTETS, headerLength),
    payload: octets.subarray(headerLength, totalLength),
  });
}

export type Ipv4Header = Omit<Ipv4Packet, 'headerLength' | 'totalLength' | 'payload'>;

/** Writes the header for `payloadLength` octets that follow it; answers where they begin. */
export function emitIpv4Header(
  header: Ipv4Header,
  payloadLength: number,
  into: Uint8Array,
  offset = 0,
): number {
  const headerLength = IPV4_HEADER_OCTETS + header.options.length;
  const view = viewOf(into);
  view.setUint8(offset, 0x40 | (headerLength / 4));
  view.setUint8(offset + 1, header.typeOfService);
  view.setUint16(offset + 2, headerLength + payloadLength);
  view.setUint16(offset + 4, header.identification);
  view.setUint16(
    offset + 6,
    (header.dontFragment ? DONT_FRAGMENT : 0) |
      (header.moreFragments ? MORE_FRAGMENTS : 0) |
      (header.fragmentOffset / 8),
  );
  view.setUint8(offset + 8, header.timeToLive);
  view.setUint8(offset + 9, header.protocol);
  view.setUint16(offset + 10, 0);
  into.set(header.source, offset + 12);
  into.set(header.destination, offset + 16);
  into.set(header.options, offset + IPV4_HEADER_OCTETS);
  view.setUint16(offset + 10, checksumOf(sumOf(into, offset, offset + headerLength)));
  return offset + headerLength;
}

const OPTION_END = 0;
const OPTION_NOP = 1;
const LOOSE_SOURCE_ROUTE = 131;
const STRICT_SOURCE_ROUTE = 137;

/** RFC 791 §3.1 source routes; options that do not parse count as one, for they may hide one. */
export function hasSourceRoute(options: Uint8Array): boolean {
  let offset = 0;
  while (offset < options.length) {
    const type = options[offset] ?? 0;
    if (type === OPTION_END) return false;
    if (type === LOOSE_SOURCE_ROUTE || type === STRICT_SOURCE_ROUTE) return true;
    const length = type === OPTION_NOP ? 1 : (options[offset + 1] ?? 0);
    if (length < (type === OPTION_NOP ? 1 : 2) || offset + length > options.length) return true;
    offset += length;
  }
  return false;
}
