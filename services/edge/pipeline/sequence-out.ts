import { SUBSPACE } from '../esp/index.ts';
import * as limits from './limits.ts';
import type { SaRow, SequenceBlocks } from './rows.ts';
import type { EngineState } from './state.ts';

/** Outbound sequence numbers of an SA: taken from reserved blocks, each once, in time for the next block. */
export type Numbered =
  | { readonly ok: true; readonly sequence: number }
  | { readonly ok: false; readonly fault: 'sequence-stalled' | 'sequence-exhausted' };

export function takeSequence(state: EngineState, sa: SaRow): Numbered {
  const blocks = sa.sequence;
  if (ivsAreSpent(blocks)) return { ok: false, fault: 'sequence-exhausted' };
  turnOver(blocks);
  if (needsMore(sa)) wantSequence(state, sa);
  if (blocks.next >= blocks.end) {
    const over = blocks.last || blocks.next >= sequenceEnd(sa);
    return { ok: false, fault: over ? 'sequence-exhausted' : 'sequence-stalled' };
  }
  const sequence = blocks.next;
  blocks.next += 1;
  blocks.first ??= sequence;
  return { ok: true, sequence };
}

function turnOver(blocks: SequenceBlocks): void {
  if (blocks.next < blocks.end || blocks.following === undefined) return;
  blocks.next = blocks.following.next;
  blocks.end = blocks.following.end;
  delete blocks.following;
}

/** INV-3: an IV has the low half of the number, so after 2^32 of them the next would be the first again. */
function ivsAreSpent({ first, next, end, following }: SequenceBlocks): boolean {
  const upcoming = next >= end ? (following?.next ?? next) : next;
  return first !== undefined && upcoming - first >= SUBSPACE;
}

/** Exclusive. */
function sequenceEnd(sa: SaRow): number {
  return sa.entry.esn === true ? limits.EXTENDED_SEQUENCE_END : limits.SEQUENCE_END;
}

export function needsMore(sa: SaRow): boolean {
  const { asked, last, following, next, end } = sa.sequence;
  if (asked || last || following !== undefined || end >= sequenceEnd(sa)) return false;
  return end - next <= limits.SEQUENCE_BLOCK / 2;
}

export function wantSequence(state: EngineState, sa: SaRow): void {
  sa.sequence.asked = true;
  const { inboundSpi, outboundSpi } = sa.entry;
  state.sink.event({ type: 'sequence-wanted', session: sa.session.session, inboundSpi, outboundSpi });
}

/**
 * Numbers [first, end) are ours alone: committed before they were granted. What overlaps an earlier grant is
 * taken once (INV-3). Answers whether there are any new ones.
 */
export function addSequences(sa: SaRow, first: number, end: number): boolean {
  const blocks = sa.sequence;
  blocks.asked = false;
  turnOver(blocks);
  const from = Math.max(first, 1, blocks.following?.end ?? blocks.end);
  const to = Math.min(end, sequenceEnd(sa));
  if (from >= to) {
    // Others had the rest: what we have is all there will be.
    if (to >= sequenceEnd(sa)) blocks.last = true;
    return false;
  }
  if (blocks.next >= blocks.end) {
    blocks.next = from;
    blocks.end = to;
  } else if (blocks.following === undefined) blocks.following = { next: from, end: to };
  else if (blocks.following.end === from) blocks.following = { next: blocks.following.next, end: to };
  // A third block with a gap before it is never used: that costs numbers, not order.
  else return false;
  return true;
}
