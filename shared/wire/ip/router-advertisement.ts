import { viewOf } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';
import { checksumOf, pseudoHeaderSum, sumHolds, sumOf } from './checksum.ts';
import { emitIpv6Header, IPV6_HEADER_OCTETS, parseIpv6 } from './ipv6.ts';
import { ICMPV6 } from './protocols.ts';

const ROUTER_SOLICITATION = 133;
const ROUTER_ADVERTISEMENT = 134;
const RS_OCTETS = 8;
const RA_OCTETS = 16;
const PREFIX_INFORMATION = 3;
const MTU = 5;
const RDNSS = 25;
/** RFC 4861 §6.1: proves that no router forwarded it. */
const HOP_LIMIT = 255;
/** RFC 4861 §4.6: a longer run of options is refused. */
const ND_OPTIONS_MAX = 16;

/** RFC 4861 §4.2 with the options that a point-to-point link to one client needs. Lifetimes in seconds. */
export interface RouterAdvertisement {
  /** Our link-local address, 16 octets. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly curHopLimit: number;
  readonly routerLifetime: number;
  readonly mtu: number;
  readonly prefix: {
    /** 16 octets, zero behind `length`. */
    readonly address: Uint8Array;
    readonly length: number;
    readonly validLifetime: number;
    readonly preferredLifetime: number;
  };
  /** RFC 8106 §5.1: 16 octets each; empty leaves the option out. */
  readonly dns: readonly Uint8Array[];
  readonly dnsLifetime: number;
}

/** The whole IPv6 packet. M and O are zero: addresses come from the prefix, there is no DHCPv6. */
export function routerAdvertisementPacket(ra: RouterAdvertisement): Uint8Array {
  const dnsOctets = ra.dns.length === 0 ? 0 : 8 + 16 * ra.dns.length;
  const packet = new Uint8Array(IPV6_HEADER_OCTETS + RA_OCTETS + 32 + 8 + dnsOctets);
  const view = viewOf(packet);
  let at = IPV6_HEADER_OCTETS;
  view.setUint8(at, ROUTER_ADVERTISEMENT);
  view.setUint8(at + 4, ra.curHopLimit);
  view.setUint16(at + 6, ra.routerLifetime);
  at += RA_OCTETS;
  view.setUint8(at, MTU);
  view.setUint8(at + 1, 1);
  view.setUint32(at + 4, ra.mtu);
  at += 8;
  at = emitPrefixInformation(ra.prefix, packet, at);
  if (ra.dns.length > 0) {
    view.setUint8(at, RDNSS);
    view.setUint8(at + 1, 1 + 2 * ra.dns.length);
    view.setUint32(at + 4, ra.dnsLifetime);
    for (const [index, server] of ra.dns.entries()) packet.set(server, at + 8 + 16 * index);
  }
  return finished(packet, ra.source, ra.destination);
}

/** RFC 4861 §4.6.2, with L and A set: all of the /64 is this link's own. */
function emitPrefixInformation(
  prefix: RouterAdvertisement['prefix'],
  into: Uint8Array,
  offset: number,
): number {
  const view = viewOf(into);
  view.setUint8(offset, PREFIX_INFORMATION);
  view.setUint8(offset + 1, 4);
  view.setUint8(offset + 2, prefix.length);
  view.setUint8(offset + 3, 0xc0);
  view.setUint32(offset + 4, prefix.validLifetime);
  view.setUint32(offset + 8, prefix.preferredLifetime);
  into.set(prefix.address, offset + 16);
  return offset + 32;
}

/** RFC 4861 §4.1 without options, as a host on a link without link-layer addresses sends it. */
export function routerSolicitationPacket(source: Uint8Array, destination: Uint8Array): Uint8Array {
  const packet = new Uint8Array(IPV6_HEADER_OCTETS + RS_OCTETS);
  packet[IPV6_HEADER_OCTETS] = ROUTER_SOLICITATION;
  return finished(packet, source, destination);
}

function finished(packet: Uint8Array, source: Uint8Array, destination: Uint8Array): Uint8Array {
  const payloadLength = packet.length - IPV6_HEADER_OCTETS;
  emitIpv6Header({ nextHeader: ICMPV6, hopLimit: HOP_LIMIT, source, destination }, payloadLength, packet);
  const sum = sumOf(
    packet,
    IPV6_HEADER_OCTETS,
    packet.length,
    pseudoHeaderSum(source, destination, ICMPV6, payloadLength),
  );
  viewOf(packet).setUint16(IPV6_HEADER_OCTETS + 2, checksumOf(sum));
  return packet;
}

/** RFC 4861 §6.1.1: the checks a Router Solicitation must pass. */
export function parseRouterSolicitation(packet: Uint8Array): Parsed<{ readonly source: Uint8Array }> {
  const message = parseNeighbourDiscovery(packet, ROUTER_SOLICITATION, RS_OCTETS);
  return message.ok ? parsed({ source: message.value.source }) : message;
}

/** RFC 4861 §6.1.2, for the other end of a link. */
export function parseRouterAdvertisement(packet: Uint8Array): Parsed<RouterAdvertisement> {
  const message = parseNeighbourDiscovery(packet, ROUTER_ADVERTISEMENT, RA_OCTETS);
  if (!message.ok) return message;
  const { source, destination, body, options } = message.value;
  let mtu: number | undefined;
  let prefix: RouterAdvertisement['prefix'] | undefined;
  let dns: readonly Uint8Array[] = [];
  let dnsLifetime = 0;
  for (const { type, octets } of options) {
    const view = viewOf(octets);
    if (type === MTU && octets.length === 8) mtu = view.getUint32(4);
    if (type === PREFIX_INFORMATION && octets.length === 32) {
      const [validLifetime, preferredLifetime] = [view.getUint32(4), view.getUint32(8)];
      prefix = {
        address: octets.subarray(16, 32),
        length: view.getUint8(2),
        validLifetime,
        preferredLifetime,
      };
    }
    if (type === RDNSS && octets.length >= 24 && octets.length % 16 === 8) {
      dnsLifetime = view.getUint32(4);
      dns = Array.from({ length: (octets.length - 8) / 16 }, (_, n) =>
        octets.subarray(8 + 16 * n, 24 + 16 * n),
      );
    }
  }
  if (mtu === undefined || prefix === undefined) return malformed('missing', IPV6_HEADER_OCTETS + RA_OCTETS);
  const view = viewOf(body);
  const [curHopLimit, routerLifetime] = [view.getUint8(4), view.getUint16(6)];
  return parsed({ source, destination, curHopLimit, routerLifetime, mtu, prefix, dns, dnsLifetime });
}

interface NdMessage {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly body: Uint8Array;
  readonly options: readonly { readonly type: number; readonly octets: Uint8Array }[];
}

function parseNeighbourDiscovery(packet: Uint8Array, type: number, fixed: number): Parsed<NdMessage> {
  const ip = parseIpv6(packet);
  if (!ip.ok) return ip;
  const { source, destination, payload: body, nextHeader, hopLimit } = ip.value;
  if (nextHeader !== ICMPV6 || body[0] !== type || body[1] !== 0)
    return malformed('unexpected', IPV6_HEADER_OCTETS);
  if (hopLimit !== HOP_LIMIT) return malformed('bad-value', 7);
  if (body.length < fixed) return malformed('truncated', packet.length);
  const sum = sumOf(body, 0, body.length, pseudoHeaderSum(source, destination, ICMPV6, body.length));
  if (!sumHolds(sum)) return malformed('bad-checksum', IPV6_HEADER_OCTETS + 2);
  const options: { type: number; octets: Uint8Array }[] = [];
  for (let at = fixed; at < body.length; ) {
    const length = (body[at + 1] ?? 0) * 8;
    // RFC 4861 §6.1: an option of length zero condemns the whole message.
    if (length === 0 || at + length > body.length) return malformed('bad-length', IPV6_HEADER_OCTETS + at);
    if (options.length === ND_OPTIONS_MAX) return malformed('too-many', IPV6_HEADER_OCTETS + at);
    options.push({ type: body[at] ?? 0, octets: body.subarray(at, at + length) });
    at += length;
  }
  return parsed({ source, destination, body, options });
}
