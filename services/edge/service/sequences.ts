import { type Bucket, BusUnavailable, decode, type Entry, encode, RevisionConflict } from '@culvert/bus';
import { recordKey, shardOfHex } from '@culvert/contracts';
import type { Clock } from '@culvert/host';
import { EXTENDED_SEQUENCE_END, SEQUENCE_BLOCK, SEQUENCE_END } from '../pipeline/index.ts';

export interface Sa {
  readonly session: string;
  readonly inboundSpi: number;
  readonly outboundSpi: number;
  /** Extended sequence numbers: there are more than 2^32 to reserve. */
  readonly esn?: boolean;
}

export interface Block {
  /** [first, end) */
  readonly first: number;
  readonly end: number;
}

/**
 * Reserves outbound sequence numbers by compare-and-set before they are used: whoever takes over an SA,
 * this node after a restart included, starts above all that may have been sent.
 */
export interface Sequences {
  want(sa: Sa): void;
  /** The SA is gone: so is its reservation. */
  forget(sa: Sa): void;
  /**
   * Deletes reservations that an earlier start left behind, as soon as storage lets it, and once more when
   * nothing of that start can be under way any more.
   */
  sweep(known: () => ReadonlySet<string>): void;
  stop(): void;
}

export interface SequencesOptions {
  readonly bucket: Bucket;
  readonly clock: Clock;
  readonly granted: (sa: Sa, block: Block) => void;
  readonly failed: (sa: Sa, error: unknown) => void;
}

const RETRY_MS = 250;
const RETRY_MAX_MS = 5_000;
/** Longer than a write of a process that is gone can be under way. */
const LATE_MS = 60_000;

export function sequenceKey(sa: Sa): string {
  return `${recordKey(shardOfHex(sa.session), sa.session)}.${sa.outboundSpi}`;
}

export function createSequences(options: SequencesOptions): Sequences {
  const { bucket, clock } = options;
  /** By key: SAs whose reservation is under way. */
  const wanted = new Map<string, Sa>();
  /** By key: SAs that have, or will have, a reservation. */
  const living = new Map<string, Sa>();
  let stopped = false;
  let cancelLate = () => {};

  /** By revision: a deletion that lands late must not take the reservation of an SA that came after. */
  const remove = async (key: string, retryMs: number): Promise<void> => {
    if (stopped || living.has(key)) return;
    try {
      const entry = await bucket.get(key);
      if (living.has(key) || entry?.value === undefined) return;
      await bucket.delete(key, entry.revision);
    } catch {
      clock.after(retryMs, () => void remove(key, Math.min(retryMs * 2, RETRY_MAX_MS)));
    }
  };

  const swept = async (known: () => ReadonlySet<string>, retryMs: number): Promise<void> => {
    if (stopped) return;
    try {
      for (const entry of await present(bucket)) {
        if (known().has(entry.key) || living.has(entry.key)) continue;
        await bucket.delete(entry.key, entry.revision);
      }
    } catch {
      clock.after(retryMs, () => void swept(known, Math.min(retryMs * 2, RETRY_MAX_MS)));
    }
  };

  const attempt = async (sa: Sa, retryMs: number): Promise<void> => {
    const key = sequenceKey(sa);
    try {
      const block = await reserve(bucket, key, sa.esn === true ? EXTENDED_SEQUENCE_END : SEQUENCE_END);
      // Forgotten meanwhile, and its deletion may have come before our writing.
      if (wanted.get(key) !== sa) return remove(key, RETRY_MS);
      wanted.delete(key);
      options.granted(sa, block);
    } catch (error) {
      if (stopped) return;
      if (wanted.get(key) !== sa) {
        // What nobody answered may still land.
        clock.after(RETRY_MS, () => void remove(key, RETRY_MS));
        return;
      }
      if (!(error instanceof BusUnavailable) && !(error instanceof RevisionConflict))
        options.failed(sa, error);
      clock.after(retryMs, () => void attempt(sa, Math.min(retryMs * 2, RETRY_MAX_MS)));
    }
  };

  return {
    want(sa) {
      const key = sequenceKey(sa);
      if (wanted.has(key)) return;
      wanted.set(key, sa);
      living.set(key, sa);
      void attempt(sa, RETRY_MS);
    },
    forget(sa) {
      const key = sequenceKey(sa);
      wanted.delete(key);
      living.delete(key);
      void remove(key, RETRY_MS);
    },
    sweep(known) {
      void swept(known, RETRY_MS);
      cancelLate = clock.after(LATE_MS, () => void swept(known, RETRY_MS));
    },
    stop() {
      stopped = true;
      cancelLate();
      wanted.clear();
      living.clear();
    },
  };
}

async function present(bucket: Bucket): Promise<readonly Entry[]> {
  const entries = new Map<string, Entry>();
  const { promise: listed, resolve } = Promise.withResolvers<void>();
  const take = (entry: Entry) => {
    if (entry.value === undefined) entries.delete(entry.key);
    else entries.set(entry.key, entry);
  };
  const watch = await bucket.watch('>', take, resolve);
  await listed;
  watch.close();
  return [...entries.values()];
}

/** The first block of most SAs costs one round trip; a lost answer costs a block, never a number twice. */
async function reserve(bucket: Bucket, key: string, last: number): Promise<Block> {
  try {
    const end = 1 + SEQUENCE_BLOCK;
    await bucket.create(key, encode({ end }));
    return { first: 1, end };
  } catch (error) {
    if (!(error instanceof RevisionConflict)) throw error;
  }
  const entry = await bucket.get(key);
  if (entry?.value === undefined) throw new RevisionConflict(`${key} was deleted meanwhile`);
  const { end: first } = decode(entry.value) as { end: number };
  const end = Math.min(first + SEQUENCE_BLOCK, last);
  if (first < end) await bucket.update(key, encode({ end }), entry.revision);
  return { first, end };
}
