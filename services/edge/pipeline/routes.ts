import { viewOf } from '@culvert/wire';
import type { LinkRow, Tables } from './rows.ts';

/** Host routes for IPv4, /64 for IPv6: a hash look-up each is the longest-prefix match. */
export function key4(address: Uint8Array): number {
  return viewOf(address).getUint32(0);
}

export function key6(address: Uint8Array): bigint {
  return viewOf(address).getBigUint64(0);
}

/** False when the address belongs to another link: an address is leased once (INV-5), so this is a fault. */
export function addRoutes(tables: Tables, link: LinkRow): boolean {
  const four = link.ipv4 === undefined ? undefined : key4(link.ipv4);
  const six = link.ipv6 === undefined ? undefined : key6(link.ipv6.address);
  if (four !== undefined && tables.routes4.has(four)) return false;
  if (six !== undefined && tables.routes6.has(six)) return false;
  if (four !== undefined) tables.routes4.set(four, link);
  if (six !== undefined) tables.routes6.set(six, link);
  return true;
}

export function removeRoutes(tables: Tables, link: LinkRow): void {
  if (link.ipv4 !== undefined && tables.routes4.get(key4(link.ipv4)) === link) {
    tables.routes4.delete(key4(link.ipv4));
  }
  if (link.ipv6 !== undefined && tables.routes6.get(key6(link.ipv6.address)) === link) {
    tables.routes6.delete(key6(link.ipv6.address));
  }
}

/** The destination's link; undefined also for what is no IP packet. */
export function routeOf(tables: Tables, packet: Uint8Array): LinkRow | undefined {
  const version = (packet[0] ?? 0) >>> 4;
  if (version === 4 && packet.length >= 20) return tables.routes4.get(key4(packet.subarray(16, 20)));
  if (version === 6 && packet.length >= 40) return tables.routes6.get(key6(packet.subarray(24, 40)));
  return undefined;
}
