import type { DropCounters, EngineCounters, Mark, SaWindow, SessionReport } from '../../pipeline/index.ts';
import { DROP_REASONS, type DropReason } from '../../pipeline/index.ts';

/**
 * The counters of one engine in shared memory, as account.h lays them out: read by any thread at any time
 * without the engine's help.
 */
const HEADER_WORDS = 128;
const SESSION_WORDS = 48;
const SA_WORDS = 3;
const DROPS_AT = 32;
const LATENCY_AT = 96;
export const LATENCY_BUCKETS = 24;
const CELLS_AT = 12;
export const ACCOUNT_CELLS = 32;

/** In the order of `Counter` in account.h. */
const COUNTERS = [
  'espIn',
  'espOut',
  'keepalives',
  'moves',
  'icvTruncated',
  'received',
  'sent',
  'sendFailed',
  'tunRead',
  'tunWritten',
  'tunFailed',
  'handedOver',
  'handOverFull',
  'controlFull',
  'messagesIn',
  'messagesOut',
  'busyNs',
  'idleNs',
  'queueOctets',
  'queueOctetsMax',
  'contextMisses',
  'segmentedSends',
  'publications',
  'sessionRows',
  'saRows',
] as const;

export type CounterName = (typeof COUNTERS)[number];

export interface AccountSize {
  readonly sessionsMax: number;
  readonly sasMax: number;
}

export function accountOctets({ sessionsMax, sasMax }: AccountSize): number {
  return (HEADER_WORDS + sessionsMax * SESSION_WORDS + sasMax * SA_WORDS) * 8;
}

export interface AccountReader {
  counter(name: CounterName): number;
  counters(): EngineCounters;
  /** Packets by how long they were in the engine: bucket i counts those below 2^i quarters of a microsecond. */
  latency(): readonly number[];
  /** Sessions whose row was written after publication `since`; `counter('publications')` is the newest. */
  changed(since: number): readonly SessionReport[];
  /** The row as it is now. */
  session(session: string): SessionReport | undefined;
  /** How far the inbound side of every SA has come, by inbound SPI. */
  marks(): ReadonlyMap<number, Mark>;
}

export function readAccount(memory: SharedArrayBuffer | ArrayBuffer, size: AccountSize): AccountReader {
  const rows = rowsIn(memory, size);
  const at = (name: CounterName) => rows.number(COUNTERS.indexOf(name));
  return {
    counter: at,
    counters() {
      const drops = Object.fromEntries(
        DROP_REASONS.map((reason: DropReason, index) => [reason, rows.number(DROPS_AT + index)]),
      ) as DropCounters;
      const [espIn, espOut] = [at('espIn'), at('espOut')];
      return {
        drops,
        espIn,
        espOut,
        keepalives: at('keepalives'),
        moves: at('moves'),
        icvTruncated: at('icvTruncated'),
      };
    },
    latency: () => Array.from({ length: LATENCY_BUCKETS }, (_, bucket) => rows.number(LATENCY_AT + bucket)),
    changed(since) {
      const slots: number[] = [];
      for (let slot = 1, end = at('sessionRows'); slot < end; slot += 1) {
        if (rows.publicationOf(slot) > since && rows.isTaken(slot)) slots.push(slot);
      }
      if (slots.length === 0) return [];
      const windows = new Map<number, SaWindow[]>(slots.map((slot) => [slot, []]));
      for (const { slot, window } of rows.windows(at('saRows'))) windows.get(slot)?.push(window);
      return slots.flatMap((slot) => rows.read(slot, windows.get(slot) ?? []) ?? []);
    },
    session(session) {
      for (let slot = 1, end = at('sessionRows'); slot < end; slot += 1) {
        if (!rows.isTaken(slot) || rows.nameOf(slot) !== session) continue;
        const windows = [...rows.windows(at('saRows'))].filter((one) => one.slot === slot);
        return rows.read(
          slot,
          windows.map(({ window }) => window),
        );
      }
      return undefined;
    },
    marks() {
      const marks = new Map<number, Mark>();
      for (const { window } of rows.windows(at('saRows'))) {
        const { inboundSpi, outboundSpi, top } = window;
        // Outbound numbers are reserved anew, above all that were granted.
        marks.set(inboundSpi, { outboundSpi, top, next: 0 });
      }
      return marks;
    },
  };
}

/** The words of the memory by what they mean. */
function rowsIn(memory: SharedArrayBuffer | ArrayBuffer, size: AccountSize) {
  const words = new BigUint64Array(memory);
  const halves = new Uint32Array(memory);
  const doubles = new Float64Array(memory);
  const octets = new Uint8Array(memory);
  const number = (word: number) => Number(Atomics.load(words, word));
  const half = (word: number, which: 0 | 1) => halves[word * 2 + which] ?? 0;
  const rowAt = (slot: number) => HEADER_WORDS + slot * SESSION_WORDS;
  const sasAt = rowAt(size.sessionsMax);
  const hexadecimal = (value: number) => value.toString(16).padStart(8, '0');
  const nameAt = (row: number) => hexadecimal(half(row + 1, 1)) + hexadecimal(half(row + 1, 0));

  const reportAt = (row: number, windows: readonly SaWindow[]): SessionReport => {
    const lastInboundAt = doubles[row + 3] ?? -1;
    const at = (row + 7) * 8;
    const cells = Array.from({ length: ACCOUNT_CELLS }, (_, cell) => number(row + CELLS_AT + cell));
    const sum = (from: number, odd: number) => {
      let total = 0;
      for (let cell = from + odd; cell < from + ACCOUNT_CELLS / 2; cell += 2) total += cells[cell] ?? 0;
      return total;
    };
    const endpoint = {
      local: octets.slice(at, at + 16),
      localPort: half(row + 11, 0),
      remote: octets.slice(at + 16, at + 32),
      remotePort: half(row + 11, 1),
    };
    return {
      session: nameAt(row),
      ...(lastInboundAt >= 0 && { lastInboundAt }),
      ...(number(row + 6) === 1 && { endpoint }),
      octetsIn: sum(0, 1),
      octetsOut: sum(ACCOUNT_CELLS / 2, 1),
      packetsIn: sum(0, 0),
      packetsOut: sum(ACCOUNT_CELLS / 2, 0),
      drops: number(row + 4),
      sas: half(row + 5, 0),
      links: half(row + 5, 1),
      accounting: cells,
      windows,
    };
  };

  return {
    number,
    isTaken: (slot: number) => Atomics.load(words, rowAt(slot) + 1) !== 0n,
    nameOf: (slot: number) => nameAt(rowAt(slot)),
    publicationOf: (slot: number) => number(rowAt(slot) + 2),
    /** A row that is being written is read again; what cannot be had whole is left for the next time. */
    read(slot: number, windows: readonly SaWindow[]): SessionReport | undefined {
      const row = rowAt(slot);
      for (let attempt = 0; attempt < 8; attempt += 1) {
        const version = Atomics.load(words, row);
        if (version % 2n === 1n) continue;
        const report = reportAt(row, windows);
        if (Atomics.load(words, row) === version) return report;
      }
      return undefined;
    },
    *windows(end: number): Generator<{ readonly slot: number; readonly window: SaWindow }> {
      for (let sa = 1; sa < end; sa += 1) {
        const at = sasAt + sa * SA_WORDS;
        const inboundSpi = half(at, 0);
        if (inboundSpi === 0) continue;
        const window = { inboundSpi, outboundSpi: half(at, 1), top: number(at + 2) };
        yield { slot: number(at + 1), window };
      }
    },
  };
}
