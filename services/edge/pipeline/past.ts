import type { SaEntry } from '@culvert/contracts';
import type { SaRow, SequenceBlocks, Tables } from './rows.ts';

/**
 * How far an SA had come that is not in the tables: it was taken away, or it is from before this start.
 * Should the very same SA be declared again, its packets are neither taken twice (INV-4) nor numbered
 * twice, which under one generation would be an IV twice (INV-3).
 */
export interface Mark {
  readonly outboundSpi: number;
  /** The highest sequence number that came in. */
  readonly top: number;
  /** The first outbound number that was not used. */
  readonly next: number;
  /** The first outbound number that this start of the engine sealed, where it sealed any. */
  readonly first?: number;
}

/** By inbound SPI; the one remembered first is forgotten first. */
export const MARKS_MAX = 65_536;

export function remember(tables: Tables, { entry, window, sequence }: SaRow): void {
  const { inboundSpi, outboundSpi } = entry;
  tables.past.delete(inboundSpi);
  if (tables.past.size >= MARKS_MAX) {
    const [oldest] = tables.past.keys();
    if (oldest !== undefined) tables.past.delete(oldest);
  }
  const { next, first } = sequence;
  const mark = { outboundSpi, top: window.top, next };
  tables.past.set(inboundSpi, first === undefined ? mark : { ...mark, first });
}

/** Another SA that happens to have the SPI has other keys and, but for chance, another peer's SPI. */
export function recall(tables: Tables, entry: SaEntry): Mark | undefined {
  const mark = tables.past.get(entry.inboundSpi);
  return mark?.outboundSpi === entry.outboundSpi ? mark : undefined;
}

/** Nothing is granted yet, and what will be starts above. */
export function blocksFrom(mark: Mark | undefined): SequenceBlocks {
  const next = mark?.next ?? 0;
  const first = mark?.first;
  return { next, end: next, asked: false, last: false, stalled: [], ...(first !== undefined && { first }) };
}
