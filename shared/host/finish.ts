import type { Happening } from '@culvert/kernel';
import { type Engine, Fenced, type Session } from './engine.ts';
import type { Vault } from './protocol.ts';
import { keyOf, letGo } from './session.ts';
import { deleteRecord } from './store.ts';

/** Deletes the record, if there is one, once a write under way has ended. */
export async function erase<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
): Promise<void> {
  while (session.writing !== undefined) await session.writing;
  if (session.phase === 'gone') throw new Fenced(`${session.session} was given up`);
  // A batch that is under way must not write what is being deleted.
  session.dirty = false;
  engine.lazy.delete(session);
  if (session.revision > 0) await deleteRecord(engine, keyOf(session), session.revision);
  session.revision = 0;
}

/** The session is over and has told everybody: its record goes, and its name is free for a new one. */
export async function finish<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
): Promise<void> {
  await erase(engine, session);
  for (const answer of session.owed.splice(0)) answer.taken({ taken: true });
  letGo(engine, session);
  for (const job of session.parked ?? []) if (job.kind === 'input') engine.dispatch(job);
  session.parked = undefined;
}
