import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buckets } from '@culvert/contracts';
import type { Clock } from '@culvert/host';
import { u32, viewOf } from '@culvert/wire';
import type { Declaration, Mark, SessionReport } from '../pipeline/index.ts';

/**
 * How far the inbound side of every SA has come, in a file of this node. After a restart what was recorded
 * on the way here is not taken again, but for the last moments before a crash (INV-4).
 */
export interface Marks {
  /** From before this start. */
  readonly past: ReadonlyMap<number, Mark>;
  heard(reports: readonly SessionReport[]): void;
  declared(declaration: Declaration): void;
  stop(): Promise<void>;
}

const WRITE_MS = 1_000;
/** What earlier starts knew is carried on for this long: by then the records have said what there still is. */
const CARRY_MS = 300_000;
const ROW_OCTETS = 16;

export async function openMarks(
  stateDir: string,
  clock: Clock,
  failed: (error: unknown) => void,
): Promise<Marks> {
  const path = join(stateDir, 'edge-marks');
  const past = await read(path);
  const carriedUntil = clock.now() + CARRY_MS;
  const sessions = new Map<string, SessionReport['windows']>();
  const ended = new Set<number>();
  let changed = false;
  let writing: Promise<void> = Promise.resolve();
  let cancel = () => {};

  const rows = (): Map<number, readonly [outboundSpi: number, top: number]> => {
    const all = new Map<number, readonly [number, number]>();
    if (clock.now() < carriedUntil)
      for (const [spi, mark] of past) if (!ended.has(spi)) all.set(spi, [mark.outboundSpi, mark.top]);
    for (const windows of sessions.values())
      for (const { inboundSpi, outboundSpi, top } of windows) all.set(inboundSpi, [outboundSpi, top]);
    return all;
  };
  const flush = async () => {
    if (!changed) return;
    changed = false;
    try {
      await write(path, emit(rows()));
    } catch (error) {
      changed = true;
      failed(error);
    }
  };
  const again = () => {
    cancel = clock.after(WRITE_MS, () => {
      writing = flush();
      void writing.then(again);
    });
  };
  again();
  return {
    past,
    heard(reports) {
      for (const { session, windows } of reports) {
        if (windows.length === 0) continue;
        sessions.set(session, windows);
        changed = true;
      }
    },
    declared({ session, entries, bucket }) {
      if (entries.length > 0 || bucket !== buckets.ike) return;
      for (const { inboundSpi } of sessions.get(session) ?? []) ended.add(inboundSpi);
      changed = sessions.delete(session) || changed;
    },
    async stop() {
      cancel();
      await writing;
      cancel();
      await flush();
    },
  };
}

/** A file that is not whole is as none: what it would have refused is then taken once more. */
async function read(path: string): Promise<Map<number, Mark>> {
  const marks = new Map<number, Mark>();
  const octets = await readFile(path).catch(() => new Uint8Array(0));
  for (let at = 0; at + ROW_OCTETS <= octets.length; at += ROW_OCTETS) {
    const top = u32(octets, at + 8) * 2 ** 32 + u32(octets, at + 12);
    marks.set(u32(octets, at), { outboundSpi: u32(octets, at + 4), top, next: 0 });
  }
  return marks;
}

function emit(rows: ReadonlyMap<number, readonly [number, number]>): Uint8Array {
  const octets = new Uint8Array(rows.size * ROW_OCTETS);
  const view = viewOf(octets);
  let at = 0;
  for (const [inboundSpi, [outboundSpi, top]] of rows) {
    view.setUint32(at, inboundSpi);
    view.setUint32(at + 4, outboundSpi);
    view.setBigUint64(at + 8, BigInt(top));
    at += ROW_OCTETS;
  }
  return octets;
}

/** Complete or not at all. Not synced: after the machine itself has died its clients are gone as well. */
async function write(path: string, octets: Uint8Array): Promise<void> {
  const draft = `${path}.new`;
  await writeFile(draft, octets, { mode: 0o600 });
  await rename(draft, path);
}
