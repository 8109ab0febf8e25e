import { viewOf } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';

/**
 * RFC 2661 §4.3: what the keystream covers is the length of the original value, the value, and padding
 * that hides how long it was. The keystream itself is MD5 over the tunnel secret and lives with the keys;
 * these two types are what it looks like from here.
 */

/** The original value of a hidden one, or undefined when what comes out cannot be one. */
export type Reveal = (
  attributeType: number,
  randomVector: Uint8Array,
  hidden: Uint8Array,
) => Uint8Array | undefined;

/** The hidden form (subformat under the keystream) of an original value. */
export type Hide = (attributeType: number, randomVector: Uint8Array, value: Uint8Array) => Uint8Array;

const LENGTH_OCTETS = 2;

/** A view of the original value; the length inside came from the peer, or from a wrong secret. */
export function parseHiddenSubformat(subformat: Uint8Array): Parsed<Uint8Array> {
  if (subformat.length < LENGTH_OCTETS) return malformed('truncated', 0);
  const end = LENGTH_OCTETS + viewOf(subformat).getUint16(0);
  if (end > subformat.length) return malformed('bad-length', 0);
  return parsed(subformat.subarray(LENGTH_OCTETS, end));
}

export function emitHiddenSubformat(value: Uint8Array, padding: Uint8Array): Uint8Array {
  const subformat = new Uint8Array(LENGTH_OCTETS + value.length + padding.length);
  viewOf(subformat).setUint16(0, value.length);
  subformat.set(value, LENGTH_OCTETS);
  subformat.set(padding, LENGTH_OCTETS + value.length);
  return subformat;
}
