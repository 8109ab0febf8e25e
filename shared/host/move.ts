import { type Happening, invariant, type Timer, type TimerTable, timerKey } from '@culvert/kernel';
import { checkpoint } from './checkpoint.ts';
import { drop, type Engine, RECENT_MAX, type Session } from './engine.ts';
import { work } from './outbox.ts';
import type { Vault } from './protocol.ts';
import { keyOf, letGo, schedule } from './session.ts';
import { deleteRecord } from './store.ts';

/**
 * First half of a move, in the leaving session's turn. A session that has a record stores where it is
 * going, so that a crash between the two records neither loses nor doubles its machines.
 */
export async function leave<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
  into: string,
): Promise<void> {
  const target = engine.sessions.get(into);
  if (target === undefined || target === session || target.phase !== 'open') {
    drop(engine, 'move-refused');
    session.moving = undefined;
    return;
  }
  while (session.writing !== undefined) await session.writing;
  if (session.revision > 0) {
    session.moving = into;
    await checkpoint(engine, session);
  }
  const waiting = session.mailbox;
  session.mailbox = [];
  letGo(engine, session);
  session.into = target;
  engine.enqueue(target, { kind: 'absorb', from: session });
  for (const job of waiting) if (job.kind === 'input') engine.enqueue(target, job);
}

/** Second half, in the turn of the session that takes over. */
export async function absorb<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
  from: Session<I, E, V>,
): Promise<void> {
  if (session.phase !== 'open') drop(engine, 'move-target-gone');
  else if (!Object.keys(from.state).every((id) => session.state[id] !== undefined)) {
    const { absorb: join } = engine.protocol;
    invariant(join !== undefined, 'this protocol does not join sessions');
    const twice = Object.keys(from.state).find((id) => session.state[id] !== undefined);
    invariant(twice === undefined, `both sessions have a machine ${twice}`);
    session.state = { ...session.state, ...from.state };
    session.timers = joined(session.timers, from.timers);
    session.vault = join(session.vault, from.vault);
    session.outbox.push(...from.outbox);
    session.recent = [...from.recent, ...session.recent].slice(-RECENT_MAX);
    session.owed.push(...from.owed.splice(0));
    engine.protocol.restored?.(session);
    schedule(engine, session);
    if (session.revision > 0 || from.revision > 0) await checkpoint(engine, session);
    work(engine, session);
  }
  for (const answer of from.owed.splice(0)) answer.taken({ taken: true });
  if (from.revision > 0) await deleteRecord(engine, keyOf(from), from.revision);
}

function joined(into: TimerTable, from: TimerTable): TimerTable {
  let { nextGeneration } = into;
  const timers: Record<string, Timer> = { ...into.timers };
  const inOrder = Object.values(from.timers).sort((a, b) => a.generation - b.generation);
  for (const timer of inOrder) {
    timers[timerKey(timer.actor, timer.id)] = { ...timer, generation: nextGeneration };
    nextGeneration += 1;
  }
  return { nextGeneration, timers };
}
