import { type Bucket, BusUnavailable, RevisionConflict, type Subscription } from '@culvert/bus';
import type { LeaseAnswer, LeaseQuestion, LeaseRelease } from '@culvert/contracts';
import type { Clock, Sealer } from '@culvert/host';
import type { Telemetry } from '@culvert/telemetry';
import { type Claim, claim } from './claim.ts';
import type { Directory } from './directory.ts';
import { sealLease } from './lease-record.ts';
import { type Lease, type LeaseTable, leaseTable } from './lease-table.ts';
import type { Pool } from './pool.ts';
import { shownName } from './shown-name.ts';

export interface LeaseNeeds {
  readonly bucket: Bucket;
  readonly pool4: Pool;
  readonly pool6: Pool | undefined;
  readonly gateway4: string;
  readonly directory: Pick<Directory, 'find' | 'fixed'>;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly telemetry: Telemetry;
}

export interface Leases {
  lease(question: LeaseQuestion): Promise<LeaseAnswer>;
  release(release: LeaseRelease): Promise<void>;
  readonly table: LeaseTable;
  close(): void;
}

/** Leases of the cluster's one bucket. Resolves once all present leases are known. */
export async function openLeases(needs: LeaseNeeds): Promise<Leases> {
  const table = leaseTable(needs.sealer);
  const subscription = await caughtUp(needs.bucket, table);
  /** One question at a time for a session's call: a repeated one must find what the first one claimed. */
  const queues = new Map<string, Promise<unknown>>();
  const inTurn = <T>(session: string, call: number, work: () => Promise<T>): Promise<T> => {
    const name = `${session}/${call}`;
    const turn = (queues.get(name) ?? Promise.resolve()).then(work);
    const settled = turn
      .catch(() => undefined)
      .finally(() => {
        if (queues.get(name) === settled) queues.delete(name);
      });
    queues.set(name, settled);
    return turn;
  };
  return {
    lease: (question) => inTurn(question.session, question.call, () => lease(needs, table, question)),
    release: ({ session, call }) => inTurn(session, call, () => release(needs, table, session, call)),
    table,
    close: () => subscription.close(),
  };
}

async function caughtUp(bucket: Bucket, table: LeaseTable): Promise<Subscription> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const subscription = await bucket.watch('>', table.ingest, resolve);
  await promise;
  return subscription;
}

async function lease(needs: LeaseNeeds, table: LeaseTable, question: LeaseQuestion): Promise<LeaseAnswer> {
  try {
    const ipv4 = question.families.includes(4) ? await claim4(needs, table, question) : undefined;
    if (question.families.includes(4) && ipv4 === undefined) return refused(needs, question);
    const prefix = question.families.includes(6) ? await claim6(needs, table, question) : undefined;
    if (ipv4 === undefined && prefix === undefined) return refused(needs, question);
    needs.telemetry.count('aaa_leases', { outcome: 'leased' });
    return {
      leased: true,
      ...(ipv4 === undefined ? {} : { ipv4: { address: ipv4, gateway: needs.gateway4 } }),
      ...(prefix === undefined ? {} : { ipv6: { prefix, prefixLength: 64 } }),
    };
  } catch (error) {
    if (!(error instanceof BusUnavailable)) throw error;
    needs.telemetry.count('aaa_leases', { outcome: 'unavailable' });
    needs.telemetry.log.warn(
      { session: question.session, user: shownName(question.user) },
      'no address: the lease store does not answer',
    );
    return { leased: false, reason: 'unavailable' };
  }
}

function claim4(needs: LeaseNeeds, table: LeaseTable, question: LeaseQuestion): Promise<string | undefined> {
  const fixed = needs.directory.find(question.user)?.ipv4;
  const wanted = {
    ...claimOf(needs, question),
    fixed,
    wanted: question.wanted,
    reserved: needs.directory.fixed,
  };
  return claim({ ...needs, table }, needs.pool4, wanted);
}

async function claim6(
  needs: LeaseNeeds,
  table: LeaseTable,
  question: LeaseQuestion,
): Promise<string | undefined> {
  if (needs.pool6 === undefined) return undefined;
  return claim({ ...needs, table }, needs.pool6, {
    ...claimOf(needs, question),
    reserved: new Set<string>(),
  });
}

function claimOf(needs: LeaseNeeds, { session, call, user }: LeaseQuestion): Omit<Claim, 'reserved'> {
  return { session, call, user, now: needs.clock.now() };
}

function refused(needs: LeaseNeeds, question: LeaseQuestion): LeaseAnswer {
  const fixed = needs.directory.find(question.user)?.ipv4;
  const { session, call } = question;
  needs.telemetry.count('aaa_leases', { outcome: 'exhausted' });
  needs.telemetry.log.warn(
    { session, call, user: shownName(question.user), ...(fixed === undefined ? {} : { fixed }) },
    fixed === undefined
      ? 'no address: every address of the pool is leased or in quarantine; enlarge pool.ipv4 or pool.ipv6'
      : needs.pool4.holds(fixed)
        ? "no address: the user's fixed address is held by another session"
        : "no address: the user's fixed address is no client address of pool.ipv4; give the user another one",
  );
  return { leased: false, reason: 'exhausted' };
}

async function release(needs: LeaseNeeds, table: LeaseTable, session: string, call: number): Promise<void> {
  const live = table.of(session, call).filter(({ record }) => record?.releasedAt === undefined);
  for (const held of live) await giveBack(needs, table, held);
}

/**
 * Marks an address as given back; the collector frees it after its quarantine. A store that does not
 * answer is no trouble: the collector finds leases without a session.
 */
export async function giveBack(
  needs: Pick<LeaseNeeds, 'bucket' | 'clock' | 'sealer' | 'telemetry'>,
  table: LeaseTable,
  { key, record, revision }: Lease,
): Promise<void> {
  if (record === undefined) return;
  const value = sealLease(needs.sealer, key, { ...record, releasedAt: needs.clock.now() });
  try {
    table.ingest({ key, value, revision: await needs.bucket.update(key, value, revision) });
    needs.telemetry.count('aaa_leases', { outcome: 'released' });
  } catch (error) {
    if (!(error instanceof BusUnavailable) && !(error instanceof RevisionConflict)) throw error;
    table.doubt(key);
    needs.telemetry.count('aaa_leases', { outcome: 'release-postponed' });
  }
}
