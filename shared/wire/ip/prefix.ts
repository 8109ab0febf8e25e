import { malformed, type Parsed, parsed } from '../parsed.ts';
import { ADDRESS_OCTETS, type AddressOctets, isIpv4, parseAddress } from './address.ts';

/** `bits` counts from the start of the 16 octets: an IPv4 /24 has 120. Bits beyond it are zero. */
export interface Prefix {
  readonly address: AddressOctets;
  readonly bits: number;
}

const MAPPED_BITS = 96;

/** `192.0.2.0/24`, `2001:db8::/32`, or a bare address for a host. */
export function parsePrefix(text: string): Parsed<Prefix> {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (!address.ok) return address;
  const own = isIpv4(address.value) ? MAPPED_BITS : 0;
  const length = slash < 0 ? String(ADDRESS_OCTETS * 8 - own) : text.slice(slash + 1);
  if (!/^(0|[1-9][0-9]{0,2})$/.test(length) || Number(length) + own > ADDRESS_OCTETS * 8) {
    return malformed('bad-value', slash + 1);
  }
  return parsed(prefixOf(address.value, Number(length) + own));
}

export function prefixOf(address: AddressOctets, bits: number): Prefix {
  const masked = new Uint8Array(ADDRESS_OCTETS);
  for (let index = 0; index < ADDRESS_OCTETS; index += 1) {
    const kept = Math.min(8, Math.max(0, bits - index * 8));
    masked[index] = (address[index] ?? 0) & (0xff00 >>> kept) & 0xff;
  }
  return { address: masked, bits };
}

export function contains(prefix: Prefix, address: AddressOctets): boolean {
  const whole = prefix.bits >>> 3;
  for (let index = 0; index < whole; index += 1) {
    if (prefix.address[index] !== address[index]) return false;
  }
  const rest = prefix.bits & 7;
  if (rest === 0) return true;
  return (((prefix.address[whole] ?? 0) ^ (address[whole] ?? 0)) & (0xff00 >>> rest) & 0xff) === 0;
}
