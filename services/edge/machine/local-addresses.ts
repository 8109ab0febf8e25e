import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { formatAddress, parseAddress, parsePrefix } from '@culvert/wire/ip';

/**
 * Every address of this machine, IPv4 broadcast and network addresses included (the kernel takes packets
 * to them as its own), without the zone of link-local ones.
 */
export function localAddresses(): readonly string[] {
  const found = new Set<string>();
  for (const infos of Object.values(networkInterfaces())) {
    for (const info of infos ?? []) for (const address of addressesOf(info)) found.add(address);
  }
  return [...found].sort();
}

function addressesOf(info: NetworkInterfaceInfo): readonly string[] {
  const bare = info.address.split('%')[0] ?? '';
  const prefix = info.family === 'IPv4' && info.cidr !== null ? parsePrefix(info.cidr) : undefined;
  const address = parseAddress(bare);
  if (!address.ok) return [];
  // A /31 and a /32 have neither (RFC 3021).
  if (!prefix?.ok || prefix.value.bits > 126) return [formatAddress(address.value)];
  const broadcast = prefix.value.address.slice();
  for (let bit = prefix.value.bits; bit < 128; bit += 1) {
    broadcast[bit >>> 3] = (broadcast[bit >>> 3] ?? 0) | (0x80 >>> (bit & 7));
  }
  return [address.value, prefix.value.address, broadcast].map(formatAddress);
}
