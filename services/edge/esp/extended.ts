import { be32, concat } from '@culvert/wire';
import { ESP_HEADER_OCTETS } from '@culvert/wire/esp';
import type { ReplayWindow } from './window.ts';

/**
 * RFC 4303 §2.2.1: extended sequence numbers have 64 bits, of which the low half travels. Here they are plain
 * numbers, exact up to 2^53, which is more than any SA lives to see.
 */
export const SUBSPACE = 2 ** 32;

export function highHalf(sequence: number): Uint8Array {
  return be32(Math.floor(sequence / SUBSPACE));
}

/** RFC 4303 appendix A2.2: which number the window's top makes of a low half. */
export function inferred({ top, size }: ReplayWindow, low: number): number {
  const topLow = top % SUBSPACE;
  const high = Math.floor(top / SUBSPACE);
  const whole = (subspace: number) => subspace * SUBSPACE + low;
  // Case A: the window lies within one subspace, and what is below it belongs to the next.
  if (topLow >= size - 1) return whole(low >= topLow - size + 1 ? high : high + 1);
  // Case B: it spans two. Before the first subspace there is none.
  const bottom = topLow - size + 1 + SUBSPACE;
  return whole(low >= bottom && high > 0 ? high - 1 : high);
}

/** RFC 4106 §5: what AES-GCM authenticates beside the packet's body, with the high half between the others. */
export function additionalData(packet: Uint8Array, high: Uint8Array): Uint8Array {
  return concat(packet.subarray(0, 4), high, packet.subarray(4, ESP_HEADER_OCTETS));
}
