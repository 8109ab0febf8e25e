import { type Bucket, BusUnavailable, RevisionConflict } from '@culvert/bus';
import { digest } from '@culvert/crypto';
import type { Sealer } from '@culvert/host';
import type { Instant } from '@culvert/kernel';
import { u32 } from '@culvert/wire';
import { type LeaseRecord, leaseKey, sealLease } from './lease-record.ts';
import type { Lease, LeaseTable } from './lease-table.ts';
import { CLAIM_CONFLICTS_MAX, QUARANTINE_MS } from './limits.ts';
import type { Pool } from './pool.ts';

/** Whom an address is wanted for, and which. */
export interface Claim {
  readonly session: string;
  readonly call: number;
  readonly user: string;
  readonly now: Instant;
  /** The user's fixed address: this one or none. */
  readonly fixed?: string | undefined;
  /** What the peer would like; a hint. */
  readonly wanted?: string | undefined;
  /** Addresses fixed for somebody. */
  readonly reserved: ReadonlySet<string>;
}

interface Claiming {
  readonly bucket: Bucket;
  readonly table: LeaseTable;
  readonly sealer: Sealer;
}

/**
 * One address of the pool for a session's call: the one it has, or a free one, claimed by create or
 * compare-and-set. Undefined when none is free. Throws BusUnavailable.
 */
export async function claim(claiming: Claiming, pool: Pool, wanted: Claim): Promise<string | undefined> {
  let conflicts = 0;
  for (const address of candidates(claiming.table, pool, wanted)) {
    const key = leaseKey(pool.family, address);
    const present = claiming.table.get(key);
    const held = isOurs(present, wanted) && present?.record?.releasedAt === undefined;
    if (held && !claiming.table.doubted(key)) return address;
    if (!held && !isFree(present, wanted)) continue;
    if (await take(claiming, key, address, wanted)) return address;
    conflicts += 1;
    if (conflicts >= CLAIM_CONFLICTS_MAX) return undefined;
  }
  return undefined;
}

/** In order of preference; each is still to be tried. */
function* candidates(table: LeaseTable, pool: Pool, wanted: Claim): Generator<string> {
  if (wanted.fixed !== undefined) {
    // A users file may hold any address, also one from before the pool was another.
    if (pool.holds(wanted.fixed)) yield wanted.fixed;
    return;
  }
  // A session's own lease comes first, so that asking again gives the same answer.
  const own = addressesOf(table.of(wanted.session, wanted.call), pool);
  yield* own.filter((address) => pool.holds(address));
  const allowed = (address: string) => pool.holds(address) && !wanted.reserved.has(address);
  yield* addressesOf(table.lastOf(wanted.user), pool).filter(allowed);
  if (wanted.wanted !== undefined && allowed(wanted.wanted)) yield wanted.wanted;
  if (pool.numbers === 0) return;
  // From a place that depends on the session alone: two instances that are asked by the same session try
  // the same addresses, and sessions spread over the pool.
  const start = startOf(wanted, pool);
  for (let step = 0; step < pool.numbers; step += 1) {
    const address = pool.at((start + step) % pool.numbers);
    if (address === undefined || wanted.reserved.has(address)) continue;
    yield address;
  }
}

function addressesOf(leases: readonly Lease[], pool: Pool): readonly string[] {
  return leases.flatMap(({ key, record }) =>
    record !== undefined && key.startsWith(`${pool.family}.`) ? [record.address] : [],
  );
}

function isOurs(lease: Lease | undefined, wanted: Claim): boolean {
  return lease?.record?.session === wanted.session && lease.record.call === wanted.call;
}

function isFree(lease: Lease | undefined, wanted: Claim): boolean {
  if (lease === undefined) return true;
  const { record } = lease;
  if (record?.releasedAt === undefined) return false;
  return record.user === wanted.user || wanted.now - record.releasedAt >= QUARANTINE_MS;
}

/** False: somebody else was first. */
async function take(claiming: Claiming, key: string, address: string, wanted: Claim): Promise<boolean> {
  const { bucket, table, sealer } = claiming;
  const present = table.get(key);
  const { session, call, user, now: at } = wanted;
  const record: LeaseRecord = { address, session, call, user, at };
  const value = sealLease(sealer, key, record);
  try {
    const revision =
      present === undefined
        ? await bucket.create(key, value)
        : await bucket.update(key, value, present.revision);
    table.ingest({ key, value, revision });
    return true;
  } catch (error) {
    const unknown = error instanceof BusUnavailable && error.unknownOutcome;
    if (!(error instanceof RevisionConflict) && !unknown) throw error;
    const entry = await bucket.get(key);
    if (entry?.value === undefined) table.forget(key);
    else table.ingest(entry);
    const now = table.get(key);
    return isOurs(now, wanted) && now?.record?.releasedAt === undefined;
  }
}

function startOf({ session, call }: Claim, pool: Pool): number {
  return u32(digest('sha2-256', new TextEncoder().encode(`${session}/${call}`))) % pool.numbers;
}
