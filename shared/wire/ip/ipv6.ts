import { viewOf } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';

export const IPV6_HEADER_OCTETS = 40;
/** RFC 8200 §5. */
export const IPV6_MTU_MIN = 1280;

/** RFC 8200 §3, with the extension headers already walked. Addresses and payload are views. */
export interface Ipv6Packet {
  readonly payloadLength: number;
  readonly nextHeader: number;
  readonly hopLimit: number;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** The protocol behind the extension headers, and where it begins in the packet. */
  readonly protocol: number;
  readonly protocolOffset: number;
  /** Set when a Fragment header was met: only offset 0 shows the upper-layer header. */
  readonly fragment?: { readonly offset: number; readonly more: boolean };
  /** A Routing header was met (RFC 5095 and later types). */
  readonly routed: boolean;
  readonly payload: Uint8Array;
}

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const DESTINATION_OPTIONS = 60;
const FRAGMENT_OCTETS = 8;
/** More are legal and useless: a bound on work. */
export const EXTENSION_HEADERS_MAX = 4;

/** Octets beyond Payload Length are ignored; fewer are refused. Jumbograms (RFC 2675) are not spoken. */
export function parseIpv6(octets: Uint8Array): Parsed<Ipv6Packet> {
  if (octets.length < IPV6_HEADER_OCTETS) return malformed('truncated', octets.length);
  const view = viewOf(octets);
  if (view.getUint8(0) >>> 4 !== 6) return malformed('bad-version', 0);
  const payloadLength = view.getUint16(4);
  const end = IPV6_HEADER_OCTETS + payloadLength;
  if (end > octets.length) return malformed('truncated', 4);
  const walked = walkExtensionHeaders(octets.subarray(0, end), view.getUint8(6));
  if (!walked.ok) return walked;
  return parsed({
    payloadLength,
    nextHeader: view.getUint8(6),
    hopLimit: view.getUint8(7),
    source: octets.subarray(8, 24),
    destination: octets.subarray(24, 40),
    ...walked.value,
    payload: octets.subarray(IPV6_HEADER_OCTETS, end),
  });
}

type Walk = Pick<Ipv6Packet, 'protocol' | 'protocolOffset' | 'fragment' | 'routed'>;

/** RFC 8200 §4: stops at the first header that is not an extension, or behind a later fragment's header. */
function walkExtensionHeaders(packet: Uint8Array, first: number): Parsed<Walk> {
  let protocol = first;
  let offset = IPV6_HEADER_OCTETS;
  let routed = false;
  let fragment: Walk['fragment'];
  for (let count = 0; ; count += 1) {
    const known =
      protocol === HOP_BY_HOP ||
      protocol === ROUTING ||
      protocol === FRAGMENT ||
      protocol === DESTINATION_OPTIONS;
    if (!known) break;
    if (count === EXTENSION_HEADERS_MAX) return malformed('too-many', offset);
    if (packet.length - offset < FRAGMENT_OCTETS) return malformed('truncated', offset);
    // RFC 8200 §4.1: Hop-by-Hop Options may only come first.
    if (protocol === HOP_BY_HOP && count > 0) return malformed('unexpected', offset);
    const length = protocol === FRAGMENT ? FRAGMENT_OCTETS : ((packet[offset + 1] ?? 0) + 1) * 8;
    if (length > packet.length - offset) return malformed('bad-length', offset);
    if (protocol === ROUTING) routed = true;
    const next = packet[offset] ?? 0;
    if (protocol === FRAGMENT) {
      if (fragment !== undefined) return malformed('duplicate', offset);
      const word = ((packet[offset + 2] ?? 0) << 8) | (packet[offset + 3] ?? 0);
      fragment = { offset: word & 0xfff8, more: (word & 1) !== 0 };
    }
    offset += length;
    protocol = next;
    if (fragment !== undefined && fragment.offset > 0) break;
  }
  return parsed({ protocol, protocolOffset: offset, routed, ...(fragment && { fragment }) });
}

export interface Ipv6Header {
  readonly nextHeader: number;
  readonly hopLimit: number;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
}

/** Writes the header for `payloadLength` octets that follow it; answers where they begin. */
export function emitIpv6Header(
  header: Ipv6Header,
  payloadLength: number,
  into: Uint8Array,
  offset = 0,
): number {
  const view = viewOf(into);
  view.setUint32(offset, 0x6000_0000);
  view.setUint16(offset + 4, payloadLength);
  view.setUint8(offset + 6, header.nextHeader);
  view.setUint8(offset + 7, header.hopLimit);
  into.set(header.source, offset + 8);
  into.set(header.destination, offset + 24);
  return offset + IPV6_HEADER_OCTETS;
}
