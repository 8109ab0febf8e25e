import type { Happening } from '@culvert/kernel';
import { displaced } from './checkpoint.ts';
import { drop, type Engine, Fenced, type Job, type Session, Stopped } from './engine.ts';
import { finish } from './finish.ts';
import { absorb, leave } from './move.ts';
import { clear, present } from './outbox.ts';
import type { Vault } from './protocol.ts';
import { quarantine } from './quarantine.ts';
import { settleOwner } from './restore.ts';
import { newSession, schedule } from './session.ts';
import { takeFact } from './step.ts';

type InputJob<I, E, V extends Vault> = Extract<Job<I, E, V>, { kind: 'input' }>;

/** Finds or founds the session of an input from outside, within the limits. */
export function dispatch<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  job: InputJob<I, E, V>,
): void {
  if (engine.phase !== 'serving') {
    refuse(engine, job, 'draining', engine.phase === 'starting' ? 'starting' : 'draining');
    return;
  }
  const located = engine.protocol.locate(job.input);
  if ('drop' in located) {
    refuse(engine, job, 'no-session', located.drop);
    return;
  }
  const there = engine.sessions.get(located.session);
  if (there !== undefined) {
    if (there.mailbox.length >= engine.protocol.limits.mailboxMax)
      refuse(engine, job, 'limit', 'mailbox-full');
    else enqueue(engine, there, { ...job, create: located.create });
    return;
  }
  const why = located.create ? unfit(engine, located.session) : 'no-session';
  if (why !== undefined) {
    refuse(engine, job, why === 'no-session' || why === 'quarantined' ? 'no-session' : 'limit', why);
    return;
  }
  const session = newSession(engine, located.session);
  engine.sessions.set(located.session, session);
  enqueue(engine, session, { ...job, create: true });
}

/** Why no session may be founded now. */
function unfit<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  name: string,
): string | undefined {
  if (engine.quarantined.has(name)) return 'quarantined';
  if (engine.sessions.size >= engine.protocol.limits.sessionsMax) return 'sessions-max';
  // A session that could not be stored would be one that we cannot keep.
  if (!engine.ports.bus.connected || engine.stalled > 0) return 'no-storage';
  return undefined;
}

function refuse<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  job: InputJob<I, E, V>,
  answer: 'no-session' | 'draining' | 'limit',
  reason: string,
): void {
  drop(engine, reason);
  job.request?.answer.taken({ taken: false, reason: answer });
}

/** The job runs at once if the session is idle, else when its turn comes. */
export function enqueue<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  owner: Session<I, E, V>,
  job: Job<I, E, V>,
  where: 'first' | 'last' = 'last',
): void {
  const session = present(owner);
  if (session.phase === 'gone') {
    orphaned(engine, job);
    return;
  }
  if (where === 'first') session.mailbox.unshift(job);
  else session.mailbox.push(job);
  if (!session.busy) void pump(engine, session);
}

/** Strictly one at a time; never rejects. */
async function pump<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
): Promise<void> {
  session.busy = true;
  try {
    for (let job = session.mailbox.shift(); job !== undefined; job = session.mailbox.shift()) {
      if (session.phase === 'gone') orphaned(engine, job);
      else await turn(engine, session, job);
    }
  } finally {
    session.busy = false;
  }
}

async function turn<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
  job: Job<I, E, V>,
): Promise<void> {
  try {
    if (job.kind === 'move') {
      if (session.phase === 'open') await leave(engine, session, job.into);
    } else if (job.kind === 'absorb') await absorb(engine, session, job.from);
    else if (job.kind === 'displaced') await settleOwner(engine, session);
    else if (session.phase === 'ending') await afterTheEnd(engine, session, job);
    else if (job.kind !== 'finish') await takeFact(engine, session, job);
  } catch (error) {
    const answer = job.kind === 'input' ? job.request?.answer : undefined;
    if (error instanceof Fenced || error instanceof Stopped) {
      answer?.failed(error);
      if (error instanceof Fenced) displaced(engine, session);
    } else {
      answer?.taken({ taken: false, reason: 'no-session' });
      quarantine(engine, session, error);
    }
  }
}

/** A session that is over, but still has to tell others so. */
async function afterTheEnd<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
  job: Exclude<Job<I, E, V>, { kind: 'move' | 'absorb' | 'displaced' }>,
): Promise<void> {
  if (job.kind === 'timer') schedule(engine, session);
  if (job.kind === 'input') {
    const { effort, request } = job;
    if (effort !== undefined) clear(session, effort);
    else if (request !== undefined && session.recent.includes(request.id))
      request.answer.taken({ taken: true });
    else if (job.create && (session.parked?.length ?? 0) < engine.protocol.limits.mailboxMax) {
      session.parked = [...(session.parked ?? []), job];
    } else refuse(engine, job, 'no-session', 'session-ended');
  }
  if (session.outbox.length === 0) await finish(engine, session);
}

/** A job whose session went away before its turn. */
function orphaned<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  job: Job<I, E, V>,
): void {
  if (job.kind !== 'input' || job.effort !== undefined) return;
  if (engine.phase === 'stopped') job.request?.answer.failed(new Stopped('the host has stopped'));
  else dispatch(engine, job);
}
