import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { formatAddress, parseAddress, parsePrefix } from '@culvert/wire/ip';

/**
 * Every address of this machine, without the zone of link-local ones, and those that the kernel takes for
 * its own besides: IPv4 broadcast and network addresses, and the subnet-router anycast address of an IPv6
 * prefix (RFC 4291 §2.6.1), which a router answers to.
 */
export function localAddresses(): readonly string[] {
  const found = new Set<string>();
  for (const infos of Object.values(networkInterfaces())) {
    for (const info of infos ?? []) for (const address of addressesOf(info)) found.add(address);
  }
  return [...found].sort();
}

export function addressesOf(
  info: Pick<NetworkInterfaceInfo, 'address' | 'cidr' | 'family'>,
): readonly string[] {
  const bare = info.address.split('%')[0] ?? '';
  const prefix = info.cidr === null ? undefined : parsePrefix(info.cidr);
  const address = parseAddress(bare);
  if (!address.ok) return [];
  // A /31 and a /32 have neither (RFC 3021), a /127 and a /128 no anycast address (RFC 6164).
  if (!prefix?.ok || prefix.value.bits > 126) return [formatAddress(address.value)];
  if (info.family === 'IPv6') return [address.value, prefix.value.address].map(formatAddress);
  const broadcast = prefix.value.address.slice();
  for (let bit = prefix.value.bits; bit < 128; bit += 1) {
    broadcast[bit >>> 3] = (broadcast[bit >>> 3] ?? 0) | (0x80 >>> (bit & 7));
  }
  return [address.value, prefix.value.address, broadcast].map(formatAddress);
}
