import { malformed, type Parsed, parsed } from '../parsed.ts';

/**
 * An address of either family as 16 octets: IPv6 as it is, IPv4 mapped (RFC 4291 §2.5.5.2). One form, so
 * that tables, metadata of the native layer and comparisons need not know families.
 */
export type AddressOctets = Uint8Array;

export const ADDRESS_OCTETS = 16;
const MAPPED_OFFSET = 12;

export function isIpv4(address: AddressOctets): boolean {
  for (let index = 0; index < 10; index += 1) if (address[index] !== 0) return false;
  return address[10] === 0xff && address[11] === 0xff;
}

/** The mapped form of four octets at `offset`. */
export function mappedIpv4(octets: Uint8Array, offset = 0): AddressOctets {
  const address = new Uint8Array(ADDRESS_OCTETS);
  address[10] = 0xff;
  address[11] = 0xff;
  address.set(octets.subarray(offset, offset + 4), MAPPED_OFFSET);
  return address;
}

/** The four octets of a mapped address, as a view. */
export function ipv4Octets(address: AddressOctets): Uint8Array {
  return address.subarray(MAPPED_OFFSET, ADDRESS_OCTETS);
}

const DOTTED_MAX = 15;
const COLONS_MAX = 45;

/** Dotted IPv4 or RFC 4291 §2.2 IPv6 text (no zone); the offset of a refusal counts characters. */
export function parseAddress(text: string): Parsed<AddressOctets> {
  return text.includes(':') ? parseIpv6Text(text) : parseIpv4Text(text);
}

function parseIpv4Text(text: string): Parsed<AddressOctets> {
  if (text.length > DOTTED_MAX) return malformed('bad-length', DOTTED_MAX);
  const four = dotted(text);
  return four === undefined ? malformed('bad-value', 0) : parsed(mappedIpv4(four));
}

function dotted(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const octets = new Uint8Array(4);
  for (const [index, part] of parts.entries()) {
    // A leading zero might mean octal elsewhere: refused, so that all readers agree.
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    octets[index] = Number(part);
  }
  return octets;
}

function parseIpv6Text(text: string): Parsed<AddressOctets> {
  if (text.length > COLONS_MAX) return malformed('bad-length', COLONS_MAX);
  const halves = text.split('::');
  if (halves.length > 2) return malformed('bad-value', 0);
  const head = groups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? groups(halves[1] ?? '', true) : [];
  if (head === undefined || tail === undefined) return malformed('bad-value', 0);
  const missing = 8 - head.length - tail.length;
  // `::` stands for at least one group.
  if (halves.length === 2 ? missing < 1 : missing !== 0) return malformed('bad-value', 0);
  const address = new Uint8Array(ADDRESS_OCTETS);
  const all = [...head, ...new Array<number>(missing).fill(0), ...tail];
  for (const [index, group] of all.entries()) {
    address[index * 2] = group >>> 8;
    address[index * 2 + 1] = group & 0xff;
  }
  return parsed(address);
}

function groups(text: string, mayEndDotted: boolean): number[] | undefined {
  if (text === '') return [];
  const out: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const four = mayEndDotted && index === parts.length - 1 ? dotted(part) : undefined;
      if (four === undefined) return undefined;
      out.push(((four[0] ?? 0) << 8) | (four[1] ?? 0), ((four[2] ?? 0) << 8) | (four[3] ?? 0));
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      out.push(Number.parseInt(part, 16));
    }
  }
  return out;
}

/** Dotted for mapped addresses, else RFC 5952 §4. */
export function formatAddress(address: AddressOctets): string {
  if (isIpv4(address)) return ipv4Octets(address).join('.');
  const words: number[] = [];
  for (let index = 0; index < ADDRESS_OCTETS; index += 2) {
    words.push(((address[index] ?? 0) << 8) | (address[index + 1] ?? 0));
  }
  const run = longestZeros(words);
  const text = (from: number, to: number) =>
    words
      .slice(from, to)
      .map((word) => word.toString(16))
      .join(':');
  return run.length < 2 ? text(0, 8) : `${text(0, run.start)}::${text(run.start + run.length, 8)}`;
}

/** RFC 5952 §4.2.3: the longest run of zero groups, the first of equals. */
function longestZeros(words: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let index = 0; index <= words.length; index += 1) {
    if (index < words.length && words[index] === 0) continue;
    if (index - start > best.length) best = { start, length: index - start };
    start = index + 1;
  }
  return best;
}
