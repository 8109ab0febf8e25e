import { equal, toHex } from '@culvert/wire';
import {
  type AddressOctets,
  contains,
  hasSourceRoute,
  ICMPV6,
  type Ipv4Packet,
  type Ipv6Packet,
  isIpv4,
  mappedIpv4,
  UDP,
} from '@culvert/wire/ip';
import type { EnginePolicy } from './ports.ts';
import type { DropReason } from './reasons.ts';
import type { LinkRow } from './rows.ts';

/** What becomes of a client's packet. `link-local` is IPv6's own housekeeping, for the ppp service. */
export type Verdict = 'forward' | 'link-local' | 'to-gateway4' | DropReason;

/**
 * S-21 for IPv4: the source is the leased address or lies behind the client, the destination is neither us nor
 * another client.
 */
export function verdict4(policy: EnginePolicy, link: LinkRow, packet: Ipv4Packet): Verdict {
  if (hasSourceRoute(packet.options)) return 'inner-options';
  const leased = link.ipv4 !== undefined && equal(packet.source, link.ipv4);
  if (!leased && !behind(link, mappedIpv4(packet.source), 4)) return 'inner-source';
  const { destination } = packet;
  const first = destination[0] ?? 0;
  // RFC 1112 §4 multicast, RFC 919 §7 broadcast.
  if (first >= 224 && first < 240) return 'inner-multicast';
  if (destination.every((octet) => octet === 0xff)) return 'inner-multicast';
  // RFC 6890: this network, loopback, link-local, reserved.
  const linkLocal = first === 169 && destination[1] === 254;
  if (first === 0 || first === 127 || first >= 240 || linkLocal) return 'inner-martian';
  if (policy.gateway4 !== undefined && equal(destination, policy.gateway4)) return 'to-gateway4';
  return reachable(policy, mappedIpv4(destination));
}

const ROUTER_SOLICITATION = 133;
const NEIGHBOR_SOLICITATION = 135;
const NEIGHBOR_ADVERTISEMENT = 136;
const DHCPV6_SERVER = 547;

/** The same for IPv6, where the leased addresses are the session's /64. */
export function verdict6(policy: EnginePolicy, link: LinkRow, packet: Ipv6Packet): Verdict {
  if (packet.routed) return 'inner-options';
  const { source, destination } = packet;
  const multicast = destination[0] === 0xff;
  if (multicast || isLinkLocal(destination) || isLinkLocal(source) || isUnspecified(source)) {
    return isHousekeeping(packet) ? 'link-local' : multicast ? 'inner-multicast' : 'inner-martian';
  }
  const leased = link.ipv6 !== undefined && contains(link.ipv6, source);
  if (!leased && !behind(link, source, 6)) return 'inner-source';
  // RFC 6890: unspecified and loopback; an IPv4-mapped address would get around the IPv4 rules.
  if (destination.subarray(0, 10).every((octet) => octet === 0)) return 'inner-martian';
  return reachable(policy, destination);
}

function behind(link: LinkRow, source: AddressOctets, family: 4 | 6): boolean {
  return link.routes.some((route) => isIpv4(route.address) === (family === 4) && contains(route, source));
}

function reachable(policy: EnginePolicy, destination: Uint8Array): Verdict {
  if (policy.localAddresses.has(toHex(destination))) return 'inner-to-gateway';
  if (!policy.clientToClient && policy.pools.some((pool) => contains(pool, destination)))
    return 'inner-to-client';
  if (policy.corporate.length > 0 && !policy.corporate.some((prefix) => contains(prefix, destination))) {
    return 'inner-not-allowed';
  }
  return 'forward';
}

/** RFC 4861 discovery that a host sends (an advertisement or redirect of a router it is not), and DHCPv6. */
function isHousekeeping(packet: Ipv6Packet): boolean {
  if (packet.fragment !== undefined) return false;
  const at = packet.protocolOffset - 40;
  if (packet.protocol === ICMPV6) {
    const type = packet.payload[at] ?? 0;
    return type === ROUTER_SOLICITATION || type === NEIGHBOR_SOLICITATION || type === NEIGHBOR_ADVERTISEMENT;
  }
  if (packet.protocol !== UDP) return false;
  return (((packet.payload[at + 2] ?? 0) << 8) | (packet.payload[at + 3] ?? 0)) === DHCPV6_SERVER;
}

function isLinkLocal(address: Uint8Array): boolean {
  return address[0] === 0xfe && ((address[1] ?? 0) & 0xc0) === 0x80;
}

function isUnspecified(address: Uint8Array): boolean {
  return address.every((octet) => octet === 0);
}
