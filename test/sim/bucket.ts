import { type Bucket, BusUnavailable, type Entry, RevisionConflict, type Subscription } from '@culvert/bus';
import type { Chance } from './chance.ts';
import type { VirtualClock } from './clock.ts';
import { matches } from './topics.ts';

/** How storage may lie; all off unless named. Probabilities per operation. */
export interface StoreFaults {
  /** Every operation fails as unavailable, nothing done. */
  away: boolean;
  /** The write is done, the caller hears a time-out. */
  unheardWrite: number;
  /** The write is not done, the caller hears a time-out. */
  lostWrite: number;
  /** The caller hears a time-out and the write lands after that. */
  lateWrite: number;
  /** How long after the time-out such a write lands. */
  lateMs: number;
  /** A watcher is handed an entry twice. */
  duplicateWatch: number;
  /** How long a time-out takes, and an answer, in milliseconds. */
  timeoutMs: number;
  latencyMs: number;
}

export function honestStore(): StoreFaults {
  return {
    away: false,
    unheardWrite: 0,
    lostWrite: 0,
    lateWrite: 0,
    lateMs: 1,
    duplicateWatch: 0,
    timeoutMs: 5000,
    latencyMs: 0,
  };
}

interface Watcher {
  readonly filter: string;
  readonly reachable: () => boolean;
  readonly handler: (entry: Entry) => void;
  readonly known: Set<string>;
  caughtUp: (() => void) | undefined;
}

/** What one bucket holds, for all clients together. */
export interface Store {
  readonly name: string;
  readonly entries: Map<string, Entry>;
  readonly watchers: Set<Watcher>;
  /** The bucket as one client sees it; `reachable` says whether that client is connected. */
  face(reachable: () => boolean): Bucket;
  /** Hands the present entries to the watchers of a client that came back. */
  resume(reachable: () => boolean): void;
}

export function memoryStore(name: string, clock: VirtualClock, chance: Chance, faults: StoreFaults): Store {
  let revision = 0;
  const entries = new Map<string, Entry>();
  const watchers = new Set<Watcher>();
  const later = (action: () => void) => clock.after(faults.latencyMs, action);
  const answered = () => new Promise<void>((resolve) => later(resolve));
  const timedOut = () => new Promise<void>((resolve) => clock.after(faults.timeoutMs, resolve));

  const hand = (watcher: Watcher, entry: Entry) => {
    if (!watchers.has(watcher) || !watcher.reachable()) return;
    if (entry.value === undefined) watcher.known.delete(entry.key);
    else watcher.known.add(entry.key);
    watcher.handler(copied(entry));
    if (chance.happens(faults.duplicateWatch)) watcher.handler(copied(entry));
  };
  const put = (key: string, value: Uint8Array | undefined, expected: number | undefined): number => {
    const current = entries.get(key);
    const conflict =
      expected === 0
        ? current?.value !== undefined
        : expected !== undefined && current?.revision !== expected;
    if (conflict)
      throw new RevisionConflict(`${name}/${key} is at ${current?.revision ?? 0}, not ${expected}`);
    revision += 1;
    const entry = { key, value: value?.slice(), revision };
    entries.set(key, entry);
    for (const watcher of watchers) if (matches(watcher.filter, key)) later(() => hand(watcher, entry));
    return revision;
  };
  const write = async (reachable: () => boolean, action: () => number): Promise<number> => {
    if (!reachable() || faults.away) throw new BusUnavailable(`${name}: no storage`);
    if (chance.happens(faults.lostWrite)) {
      await timedOut();
      throw new BusUnavailable(`${name}: no answer`, true);
    }
    if (chance.happens(faults.lateWrite)) {
      clock.after(faults.timeoutMs + faults.lateMs, () => quietly(action));
      await timedOut();
      throw new BusUnavailable(`${name}: no answer`, true);
    }
    await answered();
    const done = action();
    if (chance.happens(faults.unheardWrite)) {
      await timedOut();
      throw new BusUnavailable(`${name}: no answer`, true);
    }
    return done;
  };
  const replay = (watcher: Watcher) => {
    const present = [...entries.values()].filter((entry) => matches(watcher.filter, entry.key));
    for (const entry of present)
      if (entry.value !== undefined || watcher.known.has(entry.key)) hand(watcher, entry);
    watcher.caughtUp?.();
    watcher.caughtUp = undefined;
  };
  return {
    name,
    entries,
    watchers,
    resume(reachable) {
      for (const watcher of watchers) if (watcher.reachable === reachable) later(() => replay(watcher));
    },
    face: (reachable): Bucket => ({
      name,
      async get(key) {
        if (!reachable() || faults.away) throw new BusUnavailable(`${name}: no storage`);
        await answered();
        const entry = entries.get(key);
        return entry?.value === undefined ? undefined : copied(entry);
      },
      create: (key, value) => write(reachable, () => put(key, value, 0)),
      update: (key, value, expected) => write(reachable, () => put(key, value, expected)),
      async delete(key, expected) {
        await write(reachable, () =>
          entries.get(key)?.value === undefined && expected === undefined ? 0 : put(key, undefined, expected),
        );
      },
      async watch(filter, handler, caughtUp): Promise<Subscription> {
        if (!reachable() || faults.away) throw new BusUnavailable(`${name}: no storage`);
        await answered();
        const watcher: Watcher = { filter, reachable, handler, known: new Set(), caughtUp };
        watchers.add(watcher);
        later(() => replay(watcher));
        return { close: () => void watchers.delete(watcher) };
      },
    }),
  };
}

function copied(entry: Entry): Entry {
  return { ...entry, value: entry.value?.slice() };
}

/** A write that lands late and finds the key changed simply fails, unheard. */
function quietly(action: () => number): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof RevisionConflict)) throw error;
  }
}
