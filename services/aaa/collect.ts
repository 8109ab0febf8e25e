import { type Bucket, BusUnavailable, RevisionConflict, type Subscription } from '@culvert/bus';
import { recordKey, shardOfHex } from '@culvert/contracts';
import type { Clock, Sealer } from '@culvert/host';
import type { Instant } from '@culvert/kernel';
import type { Telemetry } from '@culvert/telemetry';
import type { Lease, LeaseTable } from './lease-table.ts';
import { giveBack } from './leases.ts';
import { COLLECT_INTERVAL_MS, COLLECT_MAX, ORPHAN_MS, QUARANTINE_MS } from './limits.ts';

export interface CollectNeeds {
  readonly leases: Bucket;
  /** The records of ppp: a session that is not there holds no address. */
  readonly ppp: Bucket;
  readonly table: LeaseTable;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly telemetry: Telemetry;
}

export interface Collector {
  collect(): Promise<void>;
  close(): void;
}

/**
 * Frees addresses whose quarantine is over and takes back those whose session is gone without a word.
 * Every instance does so; compare-and-set makes it safe.
 */
export async function startCollector(needs: CollectNeeds): Promise<Collector> {
  const { clock, telemetry } = needs;
  const sessions = new Set<string>();
  const watch: Subscription = await needs.ppp.watch('>', ({ key, value }) => {
    if (value === undefined) sessions.delete(key);
    else sessions.add(key);
  });
  /** When a lease was first seen without a session. */
  const orphans = new Map<string, Instant>();
  let cancel = () => {};
  let closed = false;

  const collect = async () => {
    try {
      await free(needs);
      await takeBack(needs, sessions, orphans);
    } catch (error) {
      // The next round finds the same work.
      if (!(error instanceof BusUnavailable)) throw error;
    }
  };
  const arm = () => {
    if (closed) return;
    cancel = clock.after(COLLECT_INTERVAL_MS, () => {
      collect()
        .catch((error: unknown) => telemetry.log.error({ error }, 'leases could not be collected'))
        .finally(arm);
    });
  };
  arm();
  return {
    collect,
    close() {
      closed = true;
      cancel();
      watch.close();
    },
  };
}

async function free({ leases, table, clock, telemetry }: CollectNeeds): Promise<void> {
  const now = clock.now();
  const over = some(table.all(), COLLECT_MAX, ({ record }) =>
    record?.releasedAt === undefined ? false : now - record.releasedAt >= QUARANTINE_MS,
  );
  for (const { key, revision } of over) {
    if (await done(leases.delete(key, revision))) telemetry.count('aaa_leases', { outcome: 'freed' });
  }
}

async function takeBack(
  needs: CollectNeeds,
  sessions: ReadonlySet<string>,
  orphans: Map<string, Instant>,
): Promise<void> {
  const { clock, table, telemetry } = needs;
  const now = clock.now();
  for (const key of orphans.keys()) if (table.get(key) === undefined) orphans.delete(key);
  const due: Lease[] = [];
  for (const lease of table.all()) {
    const { record } = lease;
    if (record === undefined || record.releasedAt !== undefined || sessions.has(recordOf(record.session))) {
      orphans.delete(lease.key);
      continue;
    }
    // A lease is younger than its session's record: ppp writes that when the link opens.
    const since = Math.max(orphans.get(lease.key) ?? now, record.at);
    orphans.set(lease.key, since);
    if (now - since > ORPHAN_MS && due.length < COLLECT_MAX) due.push(lease);
  }
  for (const lease of due) {
    const record = lease.record && (await needs.ppp.get(recordOf(lease.record.session)));
    if (record?.value !== undefined) continue;
    telemetry.log.info(
      { session: lease.record?.session, address: lease.record?.address },
      'address taken back: its session is gone',
    );
    await giveBack({ ...needs, bucket: needs.leases }, table, lease);
  }
}

function recordOf(session: string): string {
  return recordKey(shardOfHex(session), session);
}

/** False where somebody else was first. */
async function done(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof RevisionConflict) return false;
    throw error;
  }
}

function some<T>(items: Iterable<T>, max: number, matches: (item: T) => boolean): T[] {
  const found: T[] = [];
  for (const item of items) {
    if (found.length >= max) break;
    if (matches(item)) found.push(item);
  }
  return found;
}
