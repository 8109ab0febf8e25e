import { concat } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';

/** RFC 1994 §4. Success and Failure carry their Message as the whole of the packet's data. */
export const chapCodes = { challenge: 1, response: 2, success: 3, failure: 4 } as const;

/** RFC 1994 §4.1: Challenge and Response. Both are views of the packet. */
export interface ChapValue {
  readonly value: Uint8Array;
  readonly name: Uint8Array;
}

export function parseChapValue(data: Uint8Array): Parsed<ChapValue> {
  const size = data[0];
  if (size === undefined) return malformed('truncated', 0);
  // RFC 1994 §4.1: Value is one or more octets.
  if (size === 0 || 1 + size > data.length) return malformed('bad-length', 0);
  return parsed({ value: data.subarray(1, 1 + size), name: data.subarray(1 + size) });
}

export function emitChapValue(body: ChapValue): Uint8Array {
  if (body.value.length < 1 || body.value.length > 0xff)
    throw new RangeError('a CHAP value has 1 to 255 octets');
  return concat(Uint8Array.of(body.value.length), body.value, body.name);
}
