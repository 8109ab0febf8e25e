import { viewOf } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';

const MANDATORY = 0x8000;
const HIDDEN = 0x4000;
const RESERVED = 0x3c00;
const LENGTH = 0x03ff;

export const AVP_HEADER_OCTETS = 6;
/** RFC 2661 §4.1: the Length field has ten bits. */
export const AVP_VALUE_OCTETS_MAX = LENGTH - AVP_HEADER_OCTETS;
/** The type of an AVP with a reserved bit set. */
export const UNRECOGNISED = -1;

/** RFC 2661 §4.1. `value` is a view of the datagram, never a copy. */
export interface Avp {
  readonly mandatory: boolean;
  readonly hidden: boolean;
  readonly vendorId: number;
  readonly type: number;
  readonly value: Uint8Array;
}

export function parseAvp(
  octets: Uint8Array,
  offset: number,
): Parsed<{ readonly avp: Avp; readonly next: number }> {
  if (octets.length - offset < AVP_HEADER_OCTETS) return malformed('truncated', offset);
  const view = viewOf(octets);
  const flags = view.getUint16(offset);
  const next = offset + (flags & LENGTH);
  if (next < offset + AVP_HEADER_OCTETS || next > octets.length) return malformed('bad-length', offset);
  return parsed({
    avp: {
      mandatory: (flags & MANDATORY) !== 0,
      hidden: (flags & HIDDEN) !== 0,
      vendorId: view.getUint16(offset + 2),
      // A reserved bit makes the AVP unrecognised; what that costs hangs on M.
      type: (flags & RESERVED) === 0 ? view.getUint16(offset + 4) : UNRECOGNISED,
      value: octets.subarray(offset + AVP_HEADER_OCTETS, next),
    },
    next,
  });
}

export function emitAvp(avp: Avp, into: Uint8Array, offset: number): number {
  const view = viewOf(into);
  const length = AVP_HEADER_OCTETS + avp.value.length;
  view.setUint16(offset, (avp.mandatory ? MANDATORY : 0) | (avp.hidden ? HIDDEN : 0) | length);
  view.setUint16(offset + 2, avp.vendorId);
  view.setUint16(offset + 4, avp.type);
  into.set(avp.value, offset + AVP_HEADER_OCTETS);
  return offset + length;
}
