import type { FragmentPayload } from '@culvert/wire/ike';
import { ISAKMP_LIMITS } from '@culvert/wire/ike';

/**
 * One fragmented message of one peer ([MS-IKEE] §3.2, Cisco). A fragment with another ID starts over, so
 * that a peer never holds more than one message's worth; what contradicts itself is thrown away whole.
 */
export interface Reassembly {
  readonly id: number;
  readonly startedAt: number;
  /** By fragment number, from 1. */
  readonly parts: Readonly<Record<number, Uint8Array>>;
  readonly octets: number;
  /** Number of the last fragment; 0 until it is known. */
  readonly lastNumber: number;
}

export type Reassembled =
  | { readonly state: 'waiting'; readonly reassembly: Reassembly }
  | { readonly state: 'whole'; readonly message: Uint8Array }
  | { readonly state: 'refused'; readonly reason: 'fragment-conflict' | 'fragment-limit' };

/** Tuning: reliability facts §2.3. */
export const REASSEMBLY_MS = 10_000;

export function reassemble(
  before: Reassembly | undefined,
  fragment: FragmentPayload,
  at: number,
): Reassembled {
  const stale = before === undefined || before.id !== fragment.id || at - before.startedAt > REASSEMBLY_MS;
  const so = stale ? { id: fragment.id, startedAt: at, parts: {}, octets: 0, lastNumber: 0 } : before;
  const present = so.parts[fragment.number];
  const lastNumber = fragment.last ? fragment.number : so.lastNumber;
  if (conflicts(so, fragment, present)) return { state: 'refused', reason: 'fragment-conflict' };
  if (present !== undefined) return { state: 'waiting', reassembly: so };
  const octets = so.octets + fragment.data.length;
  if (octets > ISAKMP_LIMITS.fragmentedOctetsMax) return { state: 'refused', reason: 'fragment-limit' };
  // The reader gives views of a datagram; what is kept has to be a copy.
  const parts = { ...so.parts, [fragment.number]: fragment.data.slice() };
  if (lastNumber === 0 || Object.keys(parts).length < lastNumber) {
    return { state: 'waiting', reassembly: { ...so, parts, octets, lastNumber } };
  }
  const message = new Uint8Array(octets);
  let offset = 0;
  for (let number = 1; number <= lastNumber; number += 1) {
    const part = parts[number] ?? new Uint8Array(0);
    message.set(part, offset);
    offset += part.length;
  }
  return { state: 'whole', message };
}

function conflicts(so: Reassembly, fragment: FragmentPayload, present: Uint8Array | undefined): boolean {
  if (fragment.last && so.lastNumber !== 0 && so.lastNumber !== fragment.number) return true;
  const lastNumber = fragment.last ? fragment.number : so.lastNumber;
  if (
    lastNumber !== 0 &&
    (fragment.number > lastNumber || Object.keys(so.parts).some((number) => Number(number) > lastNumber))
  ) {
    return true;
  }
  if (present === undefined) return false;
  return (
    present.length !== fragment.data.length || present.some((octet, index) => octet !== fragment.data[index])
  );
}
