import { type Happening, storedSession } from '@culvert/kernel';
import { type Engine, Fenced, type Session, Stopped } from './engine.ts';
import type { Vault } from './protocol.ts';
import { encodeRecord, type RecordState, sealForward, sealState } from './record.ts';
import { keyOf } from './session.ts';
import { writeRecord } from './store.ts';

/** A change that need not be durable at once is, after this long at most. */
const LAZY_MS = 250;
/** Records written at the same time by a batch; more only makes them wait for each other. */
const WRITERS = 64;

/** Writes the session's record now and returns when it is in. Throws Fenced, or Stopped at the end. */
export async function checkpoint<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
): Promise<void> {
  while (session.writing !== undefined) await session.writing;
  if (session.phase === 'gone') throw new Fenced(`${session.session} was given up`);
  session.dirty = false;
  const owed = session.owed;
  session.owed = [];
  const work = write(engine, session);
  const quiet = work.then(
    () => {
      for (const answer of owed) answer.taken({ taken: true });
    },
    (error: Error) => {
      for (const answer of owed) answer.failed(error);
    },
  );
  session.writing = quiet;
  try {
    await work;
  } finally {
    if (session.writing === quiet) session.writing = undefined;
  }
}

async function write<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
): Promise<void> {
  const { bucket } = engine.protocol;
  const { sealer } = engine.ports;
  const key = keyOf(session);
  const at = { bucket, key, epoch: engine.epoch };
  const forward = engine.protocol.forward(session);
  session.sealedForward = sealForward(sealer, at, forward, session.sealedForward);
  const state = sealState(sealer, at, recordState(engine, session));
  const octets = encodeRecord(engine.epoch, state, session.sealedForward);
  session.revision = await writeRecord(engine, key, octets, session.revision);
}

function recordState<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
): RecordState<E> {
  const { since, trace, seq, vault, timers, recent, moving } = session;
  return {
    version: engine.protocol.version,
    since,
    trace,
    seq,
    state: storedSession(session.state),
    vault,
    timers,
    outbox: session.outbox.map(({ id, from, effect, trace: asked }) => ({ id, from, effect, trace: asked })),
    recent,
    ...(moving === undefined ? {} : { moving }),
  };
}

/** Has the session written with the next batch. */
export function writeLazily<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
): void {
  session.dirty = true;
  engine.lazy.add(session);
  arm(engine);
}

function arm<I, B, E extends Happening, V extends Vault>(engine: Engine<I, B, E, V>): void {
  if (engine.flush !== 'idle') return;
  engine.flush = 'armed';
  engine.ports.clock.after(LAZY_MS, () => void flush(engine));
}

/** Writes every session that is waiting for it. Never rejects: each fault stays with its session. */
export async function flush<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
): Promise<void> {
  if (engine.flush === 'running') return;
  engine.flush = 'running';
  const queue = [...engine.lazy];
  engine.lazy.clear();
  const writer = async () => {
    for (let session = queue.pop(); session !== undefined; session = queue.pop())
      await writeOne(engine, session);
  };
  await Promise.all(Array.from({ length: Math.min(WRITERS, queue.length) }, writer));
  engine.flush = 'idle';
  // Only those still dirty will be written: a session may have been stored, and have ended, meanwhile.
  if (engine.lazy.size > 0) arm(engine);
}

async function writeOne<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
): Promise<void> {
  if (!session.dirty || session.phase === 'gone') return;
  try {
    await checkpoint(engine, session);
  } catch (error) {
    if (error instanceof Stopped) return;
    if (error instanceof Fenced) displaced(engine, session);
    else engine.ports.telemetry.log.error({ session: session.session, error }, 'a batched checkpoint failed');
  }
}

/** A refused write. The session finds out in its own turn, before anything else, by whom. */
export function displaced<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
): void {
  for (const answer of session.owed.splice(0)) answer.failed(new Fenced('the session moved'));
  engine.enqueue(session, { kind: 'displaced' }, 'first');
}
