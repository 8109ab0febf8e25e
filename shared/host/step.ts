import {
  changeTimers,
  type Delivery,
  type EntropySeed,
  fired,
  type Happening,
  type Instant,
  type SessionStep,
  stepSession,
} from '@culvert/kernel';
import { checkpoint, writeLazily } from './checkpoint.ts';
import { effectNames, stateChange } from './describe.ts';
import { type Answer, drop, type Engine, type Job, RECENT_MAX, type Session } from './engine.ts';
import { erase, finish } from './finish.ts';
import { clear, laneOf, performerOf, work } from './outbox.ts';
import { type Planned, perform } from './perform.ts';
import type { Dropped, Durability, Vault } from './protocol.ts';
import { keyOf, letGo, schedule } from './session.ts';

type InputJob<I, E, V extends Vault> = Extract<Job<I, E, V>, { kind: 'input' }>;
type TimerJob = { readonly kind: 'timer'; readonly key: string; readonly generation: number };

interface Stamp {
  readonly seq: number;
  readonly at: Instant;
  readonly entropy: EntropySeed;
}

/** One input or firing, from stamp to performed effects: layout §3, steps 1 to 6. */
export async function takeFact<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
  job: InputJob<I, E, V> | TimerJob,
): Promise<void> {
  const request = job.kind === 'input' ? job.request : undefined;
  if (request !== undefined && session.recent.includes(request.id)) {
    answerWhenDurable(session, request.answer);
    return;
  }
  session.seq += 1;
  const stamp: Stamp = {
    seq: session.seq,
    at: engine.ports.clock.now(),
    entropy: engine.ports.entropy.seed(),
  };
  const founding = session.trace === '';
  const deliveries = job.kind === 'timer' ? firing(session, job) : classified(engine, session, job, stamp);
  if (job.kind === 'input' && job.effort !== undefined) clear(session, job.effort);
  if ('drop' in deliveries) {
    drop(engine, deliveries.drop);
    if (founding) letGo(engine, session);
    request?.answer.taken(founding ? { taken: false, reason: 'no-session' } : { taken: true });
    if (job.kind === 'timer') schedule(engine, session);
    return;
  }
  const outcome = stepSession<E>(engine.protocol.actors, session.state, deliveries, stamp);
  for (const _ of outcome.unheard) drop(engine, 'unheard');
  if (!outcome.changed) {
    if (founding) letGo(engine, session);
    request?.answer.taken(founding ? { taken: false, reason: 'no-session' } : { taken: true });
    if (job.kind === 'timer') schedule(engine, session);
    return;
  }
  await commit(engine, session, job, stamp, deliveries, outcome);
}

/** Steps 3: opened with the session's keys, then turned into RFC events by the actor's own rules. */
function classified<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
  job: InputJob<I, E, V>,
  stamp: Stamp,
): readonly Delivery[] | Dropped {
  const body = engine.protocol.open(job.input, session);
  if (isDropped(body)) return body;
  return engine.protocol.classify({ ...stamp, body }, session.state);
}

function isDropped(value: unknown): value is Dropped {
  return typeof value === 'object' && value !== null && 'drop' in value && typeof value.drop === 'string';
}

/** Step 2: a firing that was already on its way when its timer was stopped or armed anew is nothing. */
function firing<I, E, V extends Vault>(
  session: Session<I, E, V>,
  job: TimerJob,
): readonly Delivery[] | Dropped {
  const taken = fired(session.timers, job.key, job.generation);
  if (taken === undefined) return { drop: 'stale-timer' };
  session.timers = taken.table;
  return [{ type: 'tell', to: taken.timer.actor, event: taken.timer.event }];
}

async function commit<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
  job: InputJob<I, E, V> | TimerJob,
  stamp: Stamp,
  deliveries: readonly Delivery[],
  outcome: SessionStep<E>,
): Promise<void> {
  const { telemetry, clock } = engine.ports;
  const asked = job.kind === 'input' ? job.trace : undefined;
  if (session.trace === '') session.trace = asked ?? telemetry.newTrace();
  const started = clock.elapsed();
  const { name } = engine.protocol;
  telemetry.count('culvert.host.steps', { protocol: name });
  await telemetry.span(
    `${name}.step`,
    asked ?? session.trace,
    { 'culvert.session': session.session },
    async (span) => {
      const before = session.state;
      session.state = outcome.state;
      session.timers = changeTimers(session.timers, outcome.timers, outcome.state, stamp.at);
      schedule(engine, session);
      const planned = plan(engine, session, stamp, outcome, span.trace);
      const durability = storing(engine.protocol.durability(before, outcome.state), planned);
      if (span.recording) {
        span.set({
          'culvert.events': deliveries
            .map((one) => (one.type === 'tell' ? `${one.to}:${one.event.type}` : `+${one.id}`))
            .join(' '),
          'culvert.states': stateChange(before, outcome.state),
          'culvert.effects': effectNames(outcome),
          'culvert.durability': durability,
        });
      }
      const request = job.kind === 'input' ? job.request : undefined;
      if (request !== undefined) remember(session, request.id);
      const ended = engine.protocol.ended(outcome.state);
      if (ended) session.phase = 'ending';
      const written = await persist(engine, session, durability, planned);
      if (request !== undefined) {
        if (written === 'lazy') session.owed.push(request.answer);
        else request.answer.taken({ taken: true });
      }
      for (const { effort } of planned) if (effort !== undefined) effort.state = 'waiting';
      perform(engine, session, planned, span.trace);
      work(engine, session);
      if (ended && session.outbox.length === 0) await finish(engine, session);
    },
  );
  telemetry.histogram('culvert.host.step.ms', clock.elapsed() - started, { protocol: name });
}

/** Step 5, first half: replies are sealed and service effects stand in the outbox before the write. */
function plan<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
  stamp: Stamp,
  outcome: SessionStep<E>,
  trace: string,
): readonly Planned<I, E, V>[] {
  return outcome.effects.map(({ from, effect }, index) => {
    const id = `${session.session}/${from}/${stamp.seq}/${index}`;
    const performer = performerOf(engine, effect);
    if (performer.class === 'peer') {
      const { session: name, shard, state, vault } = session;
      return {
        id,
        from,
        effect,
        performer,
        sealed: performer.seal(effect, { session: name, shard, state, vault, trace, from }),
      };
    }
    if (performer.class === 'local') return { id, from, effect, performer };
    const lane = laneOf(performer, from);
    const effort = {
      id,
      from,
      effect,
      trace,
      lane,
      record: undefined,
      state: 'planned' as const,
      attempts: 0,
    };
    session.outbox.push(effort);
    return { id, from, effect, performer, effort };
  });
}

/** What goes to another service stands in a stored outbox first, or a crash would ask twice under two ids. */
function storing<I, E, V extends Vault>(
  wanted: Durability,
  planned: readonly Planned<I, E, V>[],
): Durability {
  return wanted === 'lazy' && planned.some((one) => one.effort !== undefined) ? 'now' : wanted;
}

/** Step 5, second half. Answers how far the step is stored. */
async function persist<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
  durability: Durability,
  planned: readonly Planned<I, E, V>[],
): Promise<Durability> {
  if (session.phase === 'ending') {
    // An ended session needs a record only for what it still has to tell others.
    while (session.writing !== undefined) await session.writing;
    if (session.outbox.length === 0) {
      await erase(engine, session);
      return 'none';
    }
    if (session.revision === 0 && durability !== 'now') return 'none';
  } else if (durability !== 'now') {
    if (durability === 'lazy') writeLazily(engine, session);
    return durability;
  }
  await checkpoint(engine, session);
  const record = { bucket: engine.protocol.bucket, key: keyOf(session), revision: session.revision };
  for (const one of planned) {
    one.record = record;
    if (one.effort !== undefined) one.effort.record = record;
  }
  return 'now';
}

function remember<I, E, V extends Vault>(session: Session<I, E, V>, id: string): void {
  session.recent.push(id);
  if (session.recent.length > RECENT_MAX) session.recent.shift();
}

/** A repeated request: its step is done, though perhaps not stored yet. */
function answerWhenDurable<I, E, V extends Vault>(session: Session<I, E, V>, answer: Answer): void {
  if (session.dirty) session.owed.push(answer);
  else if (session.writing === undefined) answer.taken({ taken: true });
  else void session.writing.then(() => answer.taken({ taken: true }));
}
