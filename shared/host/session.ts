import { recordKey, shardOfHex } from '@culvert/contracts';
import { type Happening, NO_TIMERS, nextTimer, type Timer } from '@culvert/kernel';
import type { Engine, Session } from './engine.ts';
import type { Vault } from './protocol.ts';

/** Facts within one millisecond never come near this many, so a clock-born `seq` is new. */
const FACTS_PER_MS = 1024;

export function newSession<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  id: string,
): Session<I, E, V> {
  return {
    session: id,
    shard: shardOfHex(id),
    state: {},
    vault: engine.protocol.newVault(),
    trace: '',
    since: engine.ports.clock.now(),
    timers: NO_TIMERS,
    seq: firstSeq(engine, 0),
    revision: 0,
    sealedForward: undefined,
    recent: [],
    outbox: [],
    mailbox: [],
    parked: undefined,
    busy: false,
    phase: 'open',
    into: undefined,
    moving: undefined,
    dirty: false,
    writing: undefined,
    owed: [],
    wakeAt: Number.POSITIVE_INFINITY,
  };
}

/**
 * Where a session's `seq` goes on after a founding or a restore. What was counted in memory since the
 * last checkpoint is forgotten, yet an effect id (`session/machine/seq/index`) must never mean two things.
 */
export function firstSeq<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  stored: number,
): number {
  return Math.max(stored, engine.seqFloor, engine.ports.clock.now() * FACTS_PER_MS);
}

export function keyOf<I, E, V extends Vault>(session: Session<I, E, V>): string {
  return recordKey(session.shard, session.session);
}

/** Takes a session out of this host; its record, if any, is somebody else's business now. */
export function letGo<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
): void {
  if (session.phase === 'gone') return;
  session.phase = 'gone';
  engine.seqFloor = Math.max(engine.seqFloor, session.seq + 1);
  engine.deadlines.set(session, Number.POSITIVE_INFINITY);
  engine.lazy.delete(session);
  if (engine.sessions.get(session.session) === session) engine.sessions.delete(session.session);
  // What founded nothing was never told to the service.
  if (session.trace !== '') engine.protocol.closed?.(session);
}

/** Puts the session's earliest timer into the shared heap, and the heap's earliest into the clock. */
export function schedule<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
): void {
  const timer: Timer | undefined = session.phase === 'open' ? nextTimer(session.timers) : undefined;
  engine.deadlines.set(session, timer?.deadline ?? Number.POSITIVE_INFINITY);
  wake(engine);
}

export function wake<I, B, E extends Happening, V extends Vault>(engine: Engine<I, B, E, V>): void {
  const earliest = engine.deadlines.earliest();
  if (earliest >= engine.wakeFor && engine.cancelWake !== undefined) return;
  engine.cancelWake?.();
  engine.cancelWake = undefined;
  engine.wakeFor = earliest;
  if (earliest === Number.POSITIVE_INFINITY || engine.phase !== 'serving') return;
  const { clock } = engine.ports;
  engine.cancelWake = clock.after(Math.max(0, earliest - clock.now()), () => {
    engine.cancelWake = undefined;
    ring(engine);
  });
}

/**
 * Hands every due timer to its session, in the order of deadlines. While the bus is away nothing a
 * machine does can reach anybody, and a silent bus must not look like a silent peer: timers wait.
 */
function ring<I, B, E extends Happening, V extends Vault>(engine: Engine<I, B, E, V>): void {
  if (!engine.ports.bus.connected) return;
  const now = engine.ports.clock.now();
  for (
    let session = engine.deadlines.take(now);
    session !== undefined;
    session = engine.deadlines.take(now)
  ) {
    const timer = nextTimer(session.timers);
    if (timer === undefined) continue;
    engine.enqueue(session, {
      kind: 'timer',
      key: `${timer.actor}#${timer.id}`,
      generation: timer.generation,
    });
  }
  wake(engine);
}
