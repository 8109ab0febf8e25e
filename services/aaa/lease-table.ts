import type { Entry } from '@culvert/bus';
import type { Sealer } from '@culvert/host';
import { type LeaseRecord, openLease } from './lease-record.ts';

/** One address as the bucket has it. `record` is undefined where the entry cannot be read. */
export interface Lease {
  readonly key: string;
  readonly revision: number;
  readonly record: LeaseRecord | undefined;
}

/**
 * What this instance knows of the leases bucket: a guide to which address to try, never proof that one is
 * free. Only the bucket's create and compare-and-set decide.
 */
export interface LeaseTable {
  get(key: string): Lease | undefined;
  /** All addresses of a session's call, those given back included. */
  of(session: string, call: number): readonly Lease[];
  /** Addresses given back that this user had, latest first. */
  lastOf(user: string): readonly Lease[];
  all(): Iterable<Lease>;
  ingest(entry: Entry): void;
  /**
   * A write that gives the lease back may still land: before the lease is confirmed to its session again,
   * it must be written anew.
   */
  doubt(key: string): void;
  doubted(key: string): boolean;
  /** The bucket was asked and has no such key. */
  forget(key: string): void;
  readonly live: number;
  readonly quarantined: number;
}

export function leaseTable(sealer: Sealer): LeaseTable {
  const leases = new Map<string, Lease>();
  const byOwner = new Map<string, Set<string>>();
  const byUser = new Map<string, Set<string>>();
  const doubts = new Set<string>();
  let released = 0;

  const unlink = (lease: Lease) => {
    leases.delete(lease.key);
    doubts.delete(lease.key);
    if (lease.record === undefined) return;
    drop(byOwner, ownerOf(lease.record.session, lease.record.call), lease.key);
    if (lease.record.releasedAt === undefined) return;
    released -= 1;
    drop(byUser, lease.record.user, lease.key);
  };
  const link = (lease: Lease) => {
    leases.set(lease.key, lease);
    if (lease.record === undefined) return;
    add(byOwner, ownerOf(lease.record.session, lease.record.call), lease.key);
    if (lease.record.releasedAt === undefined) return;
    released += 1;
    add(byUser, lease.record.user, lease.key);
  };
  const found = (keys: ReadonlySet<string> | undefined) =>
    [...(keys ?? [])].flatMap((key) => leases.get(key) ?? []);

  return {
    get: (key) => leases.get(key),
    of: (session, call) => found(byOwner.get(ownerOf(session, call))),
    lastOf: (user) =>
      found(byUser.get(user)).sort((a, b) => (b.record?.releasedAt ?? 0) - (a.record?.releasedAt ?? 0)),
    all: () => leases.values(),
    ingest(entry) {
      const known = leases.get(entry.key);
      // Our own writes are taken in at once; the watch repeats them later, perhaps behind newer ones.
      if (known !== undefined && known.revision >= entry.revision) return;
      if (known !== undefined) unlink(known);
      if (entry.value === undefined) return;
      link({ key: entry.key, revision: entry.revision, record: openLease(sealer, entry.key, entry.value) });
    },
    doubt: (key) => {
      if (leases.has(key)) doubts.add(key);
    },
    doubted: (key) => doubts.has(key),
    forget(key) {
      const known = leases.get(key);
      if (known !== undefined) unlink(known);
    },
    get live() {
      return leases.size - released;
    },
    get quarantined() {
      return released;
    },
  };
}

function ownerOf(session: string, call: number): string {
  return `${session}/${call}`;
}

function add(index: Map<string, Set<string>>, name: string, key: string): void {
  const keys = index.get(name) ?? new Set();
  keys.add(key);
  index.set(name, keys);
}

function drop(index: Map<string, Set<string>>, name: string, key: string): void {
  const keys = index.get(name);
  keys?.delete(key);
  if (keys?.size === 0) index.delete(name);
}
