import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A network prefix as numbers, so that comparing is arithmetic. Both families share one form. */
export interface Prefix {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
  readonly length: number;
}

/** `text` has passed the schema: CIDR notation, or an address (then the prefix is that address alone). */
export function prefixOf(text: string): Prefix {
  const [network = '', given] = text.split('/');
  const parsed = ipaddr.parse(network);
  const family = parsed.kind() === 'ipv4' ? 4 : 6;
  const bits = family === 4 ? 32 : 128;
  const length = given === undefined ? bits : Number(given);
  const first = numberOf(parsed);
  return { family, first, last: first + (1n << BigInt(bits - length)) - 1n, length };
}

export function overlap(a: Prefix, b: Prefix): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

export function contains(outer: Prefix, inner: Prefix): boolean {
  return outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last;
}

/** The first address of an IPv4 prefix that a host may carry. */
export function firstHost(prefix4: string): string {
  return ipv4Text(prefixOf(prefix4).first + 1n);
}

export function ipv4Text(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => Number((value >> shift) & 0xffn)).join('.');
}

function numberOf(address: Address): bigint {
  return address.toByteArray().reduce((value, octet) => (value << 8n) | BigInt(octet), 0n);
}
