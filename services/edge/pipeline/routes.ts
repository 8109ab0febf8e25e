import { toHex } from '@culvert/wire';
import { isIpv4, mappedIpv4, type Prefix, prefixOf } from '@culvert/wire/ip';
import type { LinkRow, Tables } from './rows.ts';

/**
 * Which link is behind a destination: clients' addresses and the networks behind them, by longest prefix
 * match. The families are apart, for an IPv6 default route must not have IPv4's mapped addresses.
 */
export interface Routes {
  readonly ipv4: Family;
  readonly ipv6: Family;
}

/** For each prefix length, longest first: the masked address and whose it is. */
type Family = Map<number, Map<string, LinkRow>>;

export function newRoutes(): Routes {
  return { ipv4: new Map(), ipv6: new Map() };
}

/** The destination's link; undefined also for what is no IP packet. */
export function routeOf(tables: Tables, packet: Uint8Array): LinkRow | undefined {
  const version = (packet[0] ?? 0) >>> 4;
  if (version === 4 && packet.length >= 20) return longest(tables.routes.ipv4, mappedIpv4(packet, 16));
  if (version === 6 && packet.length >= 40) return longest(tables.routes.ipv6, packet.subarray(24, 40));
  return undefined;
}

function longest(family: Family, address: Uint8Array): LinkRow | undefined {
  for (const [bits, links] of family) {
    const link = links.get(keyOf(prefixOf(address, bits)));
    if (link !== undefined) return link;
  }
  return undefined;
}

function keyOf(prefix: Prefix): string {
  return toHex(prefix.address);
}

/** False when another link has one of the prefixes: an address is leased once (INV-5), so this is a fault. */
export function addRoutes(tables: Tables, link: LinkRow): boolean {
  const prefixes = prefixesOf(link);
  const taken = prefixes.some((prefix) => {
    const holder = familyOf(tables, prefix).get(prefix.bits)?.get(keyOf(prefix));
    return holder !== undefined && holder !== link;
  });
  if (taken) return false;
  for (const prefix of prefixes) {
    const family = familyOf(tables, prefix);
    const links = family.get(prefix.bits) ?? new Map<string, LinkRow>();
    links.set(keyOf(prefix), link);
    if (family.has(prefix.bits)) continue;
    const all = [...family, [prefix.bits, links] as const].toSorted(([a], [b]) => b - a);
    family.clear();
    for (const [bits, one] of all) family.set(bits, one);
  }
  return true;
}

export function removeRoutes(tables: Tables, link: LinkRow): void {
  for (const prefix of prefixesOf(link)) {
    const family = familyOf(tables, prefix);
    const links = family.get(prefix.bits);
    if (links?.get(keyOf(prefix)) !== link) continue;
    links.delete(keyOf(prefix));
    if (links.size === 0) family.delete(prefix.bits);
  }
}

function familyOf({ routes }: Tables, prefix: Prefix): Family {
  return isIpv4(prefix.address) ? routes.ipv4 : routes.ipv6;
}

/** IPv4 counts its bits behind the 96 of the mapped form. */
function prefixesOf(link: LinkRow): readonly Prefix[] {
  const own: Prefix[] = [...link.routes];
  if (link.ipv4 !== undefined) own.push(prefixOf(mappedIpv4(link.ipv4), 128));
  if (link.ipv6 !== undefined) own.push(link.ipv6);
  return own;
}
