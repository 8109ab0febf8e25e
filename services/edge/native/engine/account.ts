import type { DropCounters, EngineCounters, Mark, SessionReport } from '../../pipeline/index.ts';
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
  'superPacketsIn',
  'superPacketsOut',
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
  const words = new BigUint64Array(memory);
  const halves = new Uint32Array(memory);
  const doubles = new Float64Array(memory);
  const octets = new Uint8Array(memory);
  const number = (word: number) => Number(Atomics.load(words, word));
  const sessionRows = () => number(COUNTERS.indexOf('sessionRows'));
  const saRows = () => number(COUNTERS.indexOf('saRows'));
  const rowAt = (slot: number) => HEADER_WORDS + slot * SESSION_WORDS;
  const saAt = (slot: number) => HEADER_WORDS + size.sessionsMax * SESSION_WORDS + slot * SA_WORDS;

  const nameAt = (row: number): string =>
    (halves[row * 2 + 3] ?? 0).toString(16).padStart(8, '0') +
    (halves[row * 2 + 2] ?? 0).toString(16).padStart(8, '0');

  const windowsOf = (slot: number): SessionReport['windows'][number][] => {
    const windows: SessionReport['windows'][number][] = [];
    for (let sa = 1, end = saRows(); sa < end; sa += 1) {
      const at = saAt(sa);
      const inboundSpi = halves[at * 2] ?? 0;
      if (inboundSpi === 0 || number(at + 1) !== slot) continue;
      windows.push({ inboundSpi, outboundSpi: halves[at * 2 + 1] ?? 0, top: number(at + 2) });
    }
    return windows;
  };

  /** A row that is being written is read again; what cannot be had whole is left for the next time. */
  const read = (slot: number, windows: SessionReport['windows']): SessionReport | undefined => {
    const row = rowAt(slot);
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const version = Atomics.load(words, row);
      if (version % 2n === 1n) continue;
      const report = rowOf(row, windows);
      if (Atomics.load(words, row) === version) return report;
    }
    return undefined;
  };

  const rowOf = (row: number, windows: SessionReport['windows']): SessionReport => {
    const lastInboundAt = doubles[row + 3] ?? -1;
    const at = (row + 7) * 8;
    const cells = Array.from({ length: ACCOUNT_CELLS }, (_, cell) => number(row + CELLS_AT + cell));
    const sum = (from: number, odd: number) => {
      let total = 0;
      for (let cell = from + odd; cell < from + 16; cell += 2) total += cells[cell] ?? 0;
      return total;
    };
    return {
      session: nameAt(row),
      ...(lastInboundAt >= 0 && { lastInboundAt }),
      ...(number(row + 6) === 1 && {
        endpoint: {
          local: octets.slice(at, at + 16),
          localPort: halves[(row + 11) * 2] ?? 0,
          remote: octets.slice(at + 16, at + 32),
          remotePort: halves[(row + 11) * 2 + 1] ?? 0,
        },
      }),
      octetsIn: sum(0, 1),
      octetsOut: sum(16, 1),
      packetsIn: sum(0, 0),
      packetsOut: sum(16, 0),
      drops: number(row + 4),
      sas: halves[(row + 5) * 2] ?? 0,
      links: halves[(row + 5) * 2 + 1] ?? 0,
      accounting: cells,
      windows,
    };
  };

  return {
    counter: (name) => number(COUNTERS.indexOf(name)),
    counters() {
      const drops = Object.fromEntries(
        DROP_REASONS.map((reason: DropReason, index) => [reason, number(DROPS_AT + index)]),
      ) as DropCounters;
      const at = (name: CounterName) => number(COUNTERS.indexOf(name));
      return {
        drops,
        espIn: at('espIn'),
        espOut: at('espOut'),
        keepalives: at('keepalives'),
        moves: at('moves'),
        icvTruncated: at('icvTruncated'),
      };
    },
    latency: () => Array.from({ length: LATENCY_BUCKETS }, (_, bucket) => number(LATENCY_AT + bucket)),
    changed(since) {
      const slots: number[] = [];
      for (let slot = 1, end = sessionRows(); slot < end; slot += 1) {
        const row = rowAt(slot);
        if (number(row + 2) > since && Atomics.load(words, row + 1) !== 0n) slots.push(slot);
      }
      if (slots.length === 0) return [];
      const windows = new Map<number, SessionReport['windows'][number][]>(slots.map((slot) => [slot, []]));
      for (let sa = 1, end = saRows(); sa < end; sa += 1) {
        const at = saAt(sa);
        const inboundSpi = halves[at * 2] ?? 0;
        if (inboundSpi === 0) continue;
        windows
          .get(number(at + 1))
          ?.push({ inboundSpi, outboundSpi: halves[at * 2 + 1] ?? 0, top: number(at + 2) });
      }
      return slots.flatMap((slot) => read(slot, windows.get(slot) ?? []) ?? []);
    },
    session(session) {
      for (let slot = 1, end = sessionRows(); slot < end; slot += 1) {
        const row = rowAt(slot);
        if (number(row + 1) !== 0 && nameAt(row) === session) return read(slot, windowsOf(slot));
      }
      return undefined;
    },
    marks() {
      const marks = new Map<number, Mark>();
      for (let sa = 1, end = saRows(); sa < end; sa += 1) {
        const at = saAt(sa);
        const inboundSpi = halves[at * 2] ?? 0;
        if (inboundSpi === 0) continue;
        // Outbound numbers are reserved anew, above all that were granted.
        marks.set(inboundSpi, { outboundSpi: halves[at * 2 + 1] ?? 0, top: number(at + 2), next: 0 });
      }
      return marks;
    },
  };
}
