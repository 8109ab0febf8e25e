import type { Happening } from '@culvert/kernel';
import { backOffMs } from './backoff.ts';
import type { Effort, Engine, Session } from './engine.ts';
import type { Performer, Performing, Vault } from './protocol.ts';

type AnyPerformer<E, I, V extends Vault> = Performer<E, I, V>;

export function performerOf<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  effect: E,
): AnyPerformer<E, I, V> {
  // The record is typed by effect type; which of them this is, only the value knows.
  const performers = engine.protocol.effects as unknown as Readonly<
    Record<string, AnyPerformer<E, I, V> | undefined>
  >;
  const performer = performers[effect.type];
  if (performer === undefined) throw new Error(`no performer for effect ${effect.type}`);
  return performer;
}

/** Effects of one machine to one lane leave in order, each after the answer to the one before. */
export function laneOf<I, E, V extends Vault>(performer: AnyPerformer<E, I, V>, from: string): string {
  return performer.class === 'service' && performer.lane !== undefined ? `${from}|${performer.lane}` : from;
}

/** Starts the first waiting effort of every lane. */
export function work<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
): void {
  if (session.phase === 'gone') return;
  const busy = new Set<string>();
  for (const effort of [...session.outbox]) {
    if (effort.state === 'answered' || busy.has(effort.lane)) continue;
    busy.add(effort.lane);
    if (effort.state === 'waiting') attempt(engine, session, effort);
  }
}

/** One try; the promise never rejects. */
function attempt<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  session: Session<I, E, V>,
  effort: Effort<E>,
): void {
  effort.state = 'running';
  effort.attempts += 1;
  const performer = performerOf(engine, effort.effect);
  if (performer.class !== 'service') throw new Error(`${effort.effect.type} is not a service effect`);
  const context = performing(session, effort.id, effort.from, effort.trace, effort.record);
  // `then` also catches what the performer throws at once.
  Promise.resolve()
    .then(() => performer.perform(effort.effect, context))
    .then(
      (input) => resolved(engine, session, effort, input),
      (error: unknown) => failed(engine, session, effort, error),
    );
}

function resolved<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  owner: Session<I, E, V>,
  effort: Effort<E>,
  input: I | undefined,
): void {
  const session = present(owner);
  if (session.phase === 'gone') return;
  effort.state = 'answered';
  if (input === undefined) {
    // The next checkpoint forgets it; until then a restore would repeat it under the same id.
    clear(session, effort);
    if (session.phase === 'ending' && session.outbox.length === 0)
      engine.enqueue(session, { kind: 'finish' });
  } else {
    // It stays in the outbox until its answer is stepped: a crash in between must ask again.
    engine.enqueue(session, { kind: 'input', input, create: false, trace: effort.trace, effort });
  }
  work(engine, session);
}

function failed<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  owner: Session<I, E, V>,
  effort: Effort<E>,
  error: unknown,
): void {
  const { telemetry, clock } = engine.ports;
  telemetry.count('culvert.host.effect.retries', {
    protocol: engine.protocol.name,
    effect: effort.effect.type,
  });
  const session = owner.session;
  telemetry.log.debug(
    { session, effect: effort.effect.type, attempts: effort.attempts, error },
    'effect will be repeated',
  );
  clock.after(backOffMs(engine.ports, effort.attempts), () => {
    effort.state = 'waiting';
    if (engine.phase !== 'stopped') work(engine, present(owner));
  });
}

export function clear<I, E, V extends Vault>(session: Session<I, E, V>, effort: Effort<E>): void {
  const at = session.outbox.indexOf(effort);
  if (at >= 0) session.outbox.splice(at, 1);
}

/** Where the session's machines are now: moves are followed. */
export function present<I, E, V extends Vault>(session: Session<I, E, V>): Session<I, E, V> {
  let at = session;
  while (at.into !== undefined) at = at.into;
  return at;
}

export function performing<I, E, V extends Vault>(
  session: Session<I, E, V>,
  id: string,
  from: string,
  trace: string,
  record: Effort<E>['record'],
): Performing<V> {
  const { session: name, shard, state, vault } = session;
  return { session: name, shard, state, vault, trace, id, from, ...(record === undefined ? {} : { record }) };
}
