import { prefixOf } from '@culvert/config';
import ipaddr from 'ipaddr.js';

/** Addresses, or /64 prefixes, that may be leased, numbered 0..size-1. */
export interface Pool {
  readonly family: 4 | 6;
  /** How many can be leased at once. */
  readonly size: number;
  /** The text form of number `index`; undefined for one that is never leased. */
  at(index: number): string | undefined;
  /** How many numbers there are to try, leasable or not. */
  readonly numbers: number;
  holds(address: string): boolean;
}

/** An IPv4 prefix without its network, broadcast and gateway addresses; /31 and /32 have only hosts (RFC 3021). */
export function pool4(cidr: string, gateway: string): Pool {
  const { first, last, length } = prefixOf(cidr);
  const edges = length <= 30 ? 1n : 0n;
  const [from, to] = [first + edges, last - edges];
  const numbers = Number(to - from + 1n);
  const reserved = prefixOf(gateway).first;
  const leasable = (value: bigint) => value >= from && value <= to && value !== reserved;
  return {
    family: 4,
    numbers,
    size: numbers - (reserved >= from && reserved <= to ? 1 : 0),
    at: (index) => (leasable(from + BigInt(index)) ? textOf(from + BigInt(index), 4) : undefined),
    holds: (address) => ipaddr.IPv4.isValidFourPartDecimal(address) && leasable(prefixOf(address).first),
  };
}

/** More slices than this are never all used; the bound keeps numbers exact. */
const SLICES_MAX = 2 ** 32;

/** An IPv6 prefix cut into /64s. The first one is left to the gateway where there is more than one. */
export function pool6(cidr: string): Pool {
  const { first, length } = prefixOf(cidr);
  const slices = length > 64 ? 0 : Number(min(1n << BigInt(64 - length), BigInt(SLICES_MAX)));
  const skipped = slices > 1 ? 1 : 0;
  const at = (index: number) => textOf(first + (BigInt(index + skipped) << 64n), 16);
  return {
    family: 6,
    numbers: slices - skipped,
    size: slices - skipped,
    at,
    holds(prefix) {
      if (!ipaddr.IPv6.isValid(prefix)) return false;
      const index = ((prefixOf(prefix).first - first) >> 64n) - BigInt(skipped);
      return index >= 0n && index < BigInt(slices - skipped) && at(Number(index)) === prefix;
    },
  };
}

/** RFC 5952 text for IPv6. */
function textOf(value: bigint, octets: 4 | 16): string {
  const bytes = Array.from({ length: octets }, (_, index) =>
    Number((value >> BigInt(8 * (octets - 1 - index))) & 0xffn),
  );
  const address = ipaddr.fromByteArray(bytes);
  return address.kind() === 'ipv4' ? address.toString() : (address as ipaddr.IPv6).toRFC5952String();
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
