import { be16, concat, viewOf } from '../../octets.ts';
import { malformed, type Parsed, parsed } from '../../parsed.ts';
import { ISAKMP_LIMITS } from '../limits.ts';

const LAST = 1;

/** [MS-IKEE] §2.2.3.2: one part of a whole ISAKMP message, header included; `number` starts at 1. */
export interface FragmentPayload {
  readonly kind: 'FRAGMENT';
  readonly id: number;
  readonly number: number;
  readonly last: boolean;
  readonly data: Uint8Array;
}

export function parseFragment(body: Uint8Array, at: number): Parsed<FragmentPayload> {
  if (body.length < 5) return malformed('truncated', at);
  const view = viewOf(body);
  const number = view.getUint8(2);
  if (number === 0) return malformed('bad-value', at + 2);
  if (number > ISAKMP_LIMITS.fragmentsMax) return malformed('too-many', at + 2);
  return parsed({
    kind: 'FRAGMENT',
    id: view.getUint16(0),
    number,
    last: (view.getUint8(3) & LAST) !== 0,
    data: body.subarray(4),
  });
}

export function emitFragment(payload: FragmentPayload): Uint8Array {
  return concat(be16(payload.id), Uint8Array.of(payload.number, payload.last ? LAST : 0), payload.data);
}
