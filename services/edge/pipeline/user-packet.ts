import { u16 } from '@culvert/wire';
import {
  type AddressOctets,
  DCCP,
  ICMP,
  ICMPV6,
  type Ipv4Packet,
  type Ipv6Packet,
  mappedIpv4,
  parseIpv4,
  parseIpv6,
  SCTP,
  TCP,
  UDP,
  UDP_LITE,
} from '@culvert/wire/ip';

/** A packet of a client or for one, parsed once for everything that looks at it. */
export type UserPacket = Ipv4User | Ipv6User;

interface Ipv4User extends Common {
  readonly family: 4;
  readonly packet: Ipv4Packet;
}

interface Ipv6User extends Common {
  readonly family: 6;
  readonly packet: Ipv6Packet;
}

interface Common {
  /** Without what lay behind it. A view: what is changed here leaves changed. */
  readonly octets: Uint8Array;
  /** 16 octets, IPv4 mapped. */
  readonly source: AddressOctets;
  readonly destination: AddressOctets;
  /** Behind IPv6 extension headers. */
  readonly protocol: number;
  /** From the upper layer's header on; in a later fragment, from somewhere on. */
  readonly upper: Uint8Array;
  /** A later fragment shows no upper-layer header. */
  readonly later: boolean;
}

/** Undefined when it is no packet of that family. */
export function readUserPacket(octets: Uint8Array, family: 4 | 6): UserPacket | undefined {
  return family === 4 ? read4(octets) : read6(octets);
}

function read4(octets: Uint8Array): Ipv4User | undefined {
  const read = parseIpv4(octets);
  if (!read.ok) return undefined;
  const packet = read.value;
  return {
    family: 4,
    packet,
    octets: octets.subarray(0, packet.totalLength),
    source: mappedIpv4(packet.source),
    destination: mappedIpv4(packet.destination),
    protocol: packet.protocol,
    upper: packet.payload,
    later: packet.fragmentOffset > 0,
  };
}

const IPV6_HEADER_OCTETS = 40;

function read6(octets: Uint8Array): Ipv6User | undefined {
  const read = parseIpv6(octets);
  if (!read.ok) return undefined;
  const packet = read.value;
  const whole = octets.subarray(0, IPV6_HEADER_OCTETS + packet.payloadLength);
  return {
    family: 6,
    packet,
    octets: whole,
    source: packet.source,
    destination: packet.destination,
    protocol: packet.protocol,
    upper: whole.subarray(packet.protocolOffset),
    later: (packet.fragment?.offset ?? 0) > 0,
  };
}

/** Protocols whose header begins with source and destination port. */
const WITH_PORTS: readonly number[] = [TCP, UDP, DCCP, SCTP, UDP_LITE];

export interface Ports {
  readonly source: number;
  readonly destination: number;
}

/** Undefined when the packet does not show any. */
export function portsOf({ protocol, upper, later }: UserPacket): Ports | undefined {
  if (later || !WITH_PORTS.includes(protocol) || upper.length < 4) return undefined;
  return { source: u16(upper), destination: u16(upper, 2) };
}

/** RFC 4301 §4.4.1.1: for selectors, type and code of ICMP stand where ports would. */
export function selectorPortsOf(user: UserPacket): Ports | undefined {
  const { protocol, upper, later } = user;
  if (protocol !== ICMP && protocol !== ICMPV6) return portsOf(user);
  if (later || upper.length < 2) return undefined;
  return { source: u16(upper), destination: u16(upper) };
}

/** Ports that are not shown fit only a range that leaves none out. */
export function portFits(
  range: { readonly fromPort: number; readonly toPort: number },
  port: number | undefined,
): boolean {
  if (port === undefined) return range.fromPort === 0 && range.toPort === 0xffff;
  return port >= range.fromPort && port <= range.toPort;
}
