import type { TrafficSelector } from '@culvert/contracts';
import { invariant } from '@culvert/kernel';
import { toHex } from '@culvert/wire';
import { type AddressOctets, isIpv4, parseAddress } from '@culvert/wire/ip';
import { portFits, selectorPortsOf, type UserPacket } from './user-packet.ts';

/** A traffic selector (RFC 7296 §3.13.1) with its addresses in hexadecimal, which sorts as they do. */
export interface Selector {
  readonly family: 4 | 6;
  readonly protocol: number;
  readonly from: string;
  readonly to: string;
  readonly fromPort: number;
  readonly toPort: number;
}

/** For an entry that was checked. */
export function selectorOf(entry: TrafficSelector): Selector {
  const [from, to] = [parseAddress(entry.from), parseAddress(entry.to)];
  invariant(from.ok && to.ok, 'selector: not an address');
  const family = isIpv4(from.value) ? 4 : 6;
  return { ...entry, family, from: toHex(from.value), to: toHex(to.value) };
}

/** RFC 4301 §5.2: each end of the packet lies within one selector of its side. */
export function selects(
  sides: { readonly sources: readonly Selector[]; readonly destinations: readonly Selector[] },
  user: UserPacket,
): boolean {
  const ports = selectorPortsOf(user);
  return (
    sides.sources.some((one) => covers(one, user, user.source, ports?.source)) &&
    sides.destinations.some((one) => covers(one, user, user.destination, ports?.destination))
  );
}

function covers(
  selector: Selector,
  user: UserPacket,
  address: AddressOctets,
  port: number | undefined,
): boolean {
  // An IPv6 range may span the mapped addresses: it has no IPv4 packet for that.
  if (selector.family !== user.family) return false;
  if (selector.protocol !== 0 && selector.protocol !== user.protocol) return false;
  const here = toHex(address);
  return selector.from <= here && here <= selector.to && portFits(selector, port);
}
