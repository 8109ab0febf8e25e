import type { Bucket, Entry } from '@culvert/bus';
import { type Happening, migrate, restoredSession } from '@culvert/kernel';
import type { Engine, Session } from './engine.ts';
import { laneOf, performerOf, work } from './outbox.ts';
import type { Vault } from './protocol.ts';
import { epochOf, openRecord, type RecordState } from './record.ts';
import { firstSeq, keyOf, letGo, newSession, schedule } from './session.ts';
import { readRecord } from './store.ts';

/** Longer than a write of a process that is gone can be under way. */
const LATE_MS = 60_000;

/**
 * Every record of the bucket becomes a session again. What its outbox holds for other services is
 * repeated under the same ids; octets for the peer are not, and work of our own is not.
 */
export async function restoreAll<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  bucket: Bucket,
): Promise<void> {
  const { telemetry } = engine.ports;
  const moves: Session<I, E, V>[] = [];
  let failed = 0;
  for (const entry of await present(engine, bucket)) {
    const session = readable(engine, bucket.name, entry);
    if (session === undefined) failed += 1;
    else if (session.moving !== undefined) moves.push(session);
  }
  const restored = engine.sessions.size;
  if (restored + failed > 0) telemetry.log.info({ restored, failed }, 'sessions restored');
  for (const session of engine.sessions.values()) resume(engine, session);
  for (const session of moves) engine.enqueue(session, { kind: 'move', into: session.moving ?? '' });
}

/** Undefined: the record stays as it is, it may be readable by the version or with the key that is missing. */
function readable<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  bucket: string,
  entry: Entry,
): Session<I, E, V> | undefined {
  try {
    return restoreOne(engine, bucket, entry);
  } catch (error) {
    const { telemetry } = engine.ports;
    telemetry.count('culvert.host.unreadable', { protocol: engine.protocol.name });
    telemetry.log.error({ error, key: entry.key }, 'a session record could not be restored');
    return undefined;
  }
}

/**
 * The first record of a session that a predecessor wrote, and died: it lands when we have looked already.
 * Nobody else would ever care for it, while the edge forwards what it says.
 */
function adopt<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  bucket: string,
  entry: Entry,
): void {
  const epoch = entry.value === undefined ? undefined : epochOf(entry.value);
  if (engine.phase !== 'serving' || epoch === undefined || epoch >= engine.epoch) return;
  // A session of ours collides with the record at its next write, and settles it then.
  if (engine.sessions.has(idOf(entry.key))) return;
  const session = readable(engine, bucket, entry);
  if (session === undefined) return;
  engine.ports.telemetry.count('culvert.host.adopted', { protocol: engine.protocol.name });
  resume(engine, session);
  if (session.moving !== undefined) engine.enqueue(session, { kind: 'move', into: session.moving });
}

function resume<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
): void {
  schedule(engine, session);
  work(engine, session);
  if (session.phase === 'ending' && session.outbox.length === 0) engine.enqueue(session, { kind: 'finish' });
}

/**
 * Somebody else has written this session's record. An owner with a higher epoch has taken over: the session
 * stops here and its record is left alone. One with a lower epoch is gone, and this was its last write,
 * landing late: the session begins again from it, and what was done here in memory is as if never done.
 */
export async function settleOwner<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
): Promise<void> {
  const { telemetry } = engine.ports;
  const protocol = engine.protocol.name;
  const entry = await readRecord(engine, keyOf(session));
  // The refused write was not to this session's own record (a move's), or it is settled already.
  if (session.phase === 'gone') return;
  if (entry !== undefined && entry.revision === session.revision) {
    if (session.phase === 'ending' && session.outbox.length === 0)
      engine.enqueue(session, { kind: 'finish' });
    return;
  }
  const epoch = entry?.value === undefined ? undefined : epochOf(entry.value);
  letGo(engine, session);
  if (entry !== undefined && epoch !== undefined && epoch < engine.epoch) {
    telemetry.count('culvert.host.reloaded', { protocol });
    resume(engine, restoreOne(engine, engine.protocol.bucket, entry));
    return;
  }
  telemetry.count('culvert.host.fenced', { protocol });
  const about = { session: session.session, epoch: engine.epoch, theirs: epoch };
  telemetry.log.warn(about, 'another host owns this session, stopped here');
}

/** What stands in the bucket now, deleted keys left out. What lands late is adopted for a while. */
async function present<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  bucket: Bucket,
): Promise<readonly Entry[]> {
  const entries = new Map<string, Entry>();
  const { promise: caughtUp, resolve } = Promise.withResolvers<void>();
  const { clock } = engine.ports;
  let enough = Number.POSITIVE_INFINITY;
  const take = (entry: Entry) => {
    if (clock.elapsed() > enough) watch.close();
    else if (engine.phase !== 'starting') adopt(engine, bucket.name, entry);
    else if (entry.value === undefined) entries.delete(entry.key);
    else entries.set(entry.key, entry);
  };
  const watch = await bucket.watch('>', take, resolve);
  await caughtUp;
  enough = clock.elapsed() + LATE_MS;
  return [...entries.values()];
}

function idOf(key: string): string {
  return key.slice(key.indexOf('.') + 1);
}

function restoreOne<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  bucket: string,
  entry: Entry,
): Session<I, E, V> {
  const { protocol, ports } = engine;
  const octets = entry.value ?? new Uint8Array();
  const record: RecordState<E> = openRecord(ports.sealer, bucket, entry.key, octets);
  const current = migrate(
    { state: record.state, vault: record.vault },
    record.version,
    protocol.version,
    protocol.migrations,
  );
  const id = idOf(entry.key);
  const session: Session<I, E, V> = {
    ...newSession(engine, id),
    state: restoredSession(protocol.actors, current.state),
    // The stored form of this version is what this program's own vault type describes.
    vault: current.vault as V,
    trace: record.trace,
    since: record.since,
    timers: record.timers,
    seq: firstSeq(engine, record.seq),
    revision: entry.revision,
    recent: [...record.recent],
    moving: record.moving,
  };
  const place = { bucket, key: entry.key, revision: entry.revision };
  session.outbox = record.outbox.map(({ id: effectId, from, effect, trace }) => {
    const lane = laneOf(performerOf(engine, effect), from);
    return { id: effectId, from, effect, trace, lane, record: place, state: 'waiting', attempts: 0 };
  });
  if (protocol.ended(session.state)) session.phase = 'ending';
  engine.sessions.set(id, session);
  protocol.restored?.(session);
  return session;
}
