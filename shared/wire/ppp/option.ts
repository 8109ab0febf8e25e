import { equal, viewOf } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';

const HEADER_OCTETS = 2;
const DATA_OCTETS_MAX = 253;

/** No stock client sends more than a dozen; a longer list is somebody measuring us. */
export const OPTIONS_MAX = 64;

/** RFC 1661 §6: one configuration option. `data` is a view of the datagram. */
export interface CpOption {
  readonly type: number;
  readonly data: Uint8Array;
}

export function parseOptions(data: Uint8Array): Parsed<readonly CpOption[]> {
  const options: CpOption[] = [];
  const view = viewOf(data);
  let offset = 0;
  while (offset < data.length) {
    if (options.length === OPTIONS_MAX) return malformed('too-many', offset);
    if (data.length - offset < HEADER_OCTETS) return malformed('truncated', offset);
    const length = view.getUint8(offset + 1);
    if (length < HEADER_OCTETS || offset + length > data.length) return malformed('bad-length', offset + 1);
    options.push({
      type: view.getUint8(offset),
      data: data.subarray(offset + HEADER_OCTETS, offset + length),
    });
    offset += length;
  }
  return parsed(options);
}

export function emitOptions(options: readonly CpOption[], into: Uint8Array, offset: number): number {
  const view = viewOf(into);
  let at = offset;
  for (const option of options) {
    if (option.data.length > DATA_OCTETS_MAX) throw new RangeError('option data exceeds 253 octets');
    view.setUint8(at, option.type);
    view.setUint8(at + 1, HEADER_OCTETS + option.data.length);
    into.set(option.data, at + HEADER_OCTETS);
    at += optionLength(option);
  }
  return at;
}

export function optionLength(option: CpOption): number {
  return HEADER_OCTETS + option.data.length;
}

export function optionsOctets(options: readonly CpOption[]): Uint8Array {
  const octets = new Uint8Array(options.reduce((sum, option) => sum + optionLength(option), 0));
  emitOptions(options, octets, 0);
  return octets;
}

export function sameOption(a: CpOption, b: CpOption): boolean {
  return a.type === b.type && equal(a.data, b.data);
}

/** The first option of this type; RFC 1661 §6 lets none of those we know appear twice. */
export function optionOf(options: readonly CpOption[], type: number): CpOption | undefined {
  return options.find((option) => option.type === type);
}
