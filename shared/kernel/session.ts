import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { restored, type StoredMachine, stored } from './checkpoint.ts';
import { childSeed, type EntropySeed } from './entropy.ts';
import { InvariantViolation, invariant } from './invariant.ts';
import { type Happening, type Step, start, step } from './step.ts';
import type { Instant } from './time.ts';

/**
 * A session within one service is a handful of machines that hear each other's events. `kind` names the
 * machine, the part behind the slash the instance: `link`, `lcp`, `quick-mode/3fa0`.
 */
export type ActorId = string;

export type Actors = Readonly<Record<string, AnyStateMachine>>;

export type SessionState = Readonly<Record<ActorId, AnyMachineSnapshot>>;

/** Every event carries when it happened and the random octets it may use. */
export interface Stamped extends Happening {
  readonly at: Instant;
  readonly entropy: EntropySeed;
}

/** What a classifier, or a machine speaking to its siblings, asks the router to do. */
export type Delivery =
  | { readonly type: 'tell'; readonly to: ActorId; readonly event: Happening }
  | { readonly type: 'beget'; readonly id: ActorId; readonly input: unknown };

export interface ActorEffect<E> {
  readonly from: ActorId;
  readonly effect: E;
}

export type SessionTimer =
  | {
      readonly op: 'arm';
      readonly id: string;
      readonly actor: ActorId;
      readonly afterMs: number;
      readonly event: Happening;
    }
  | { readonly op: 'disarm'; readonly id: string; readonly actor: ActorId };

export interface SessionStep<E> {
  readonly state: SessionState;
  readonly effects: readonly ActorEffect<E>[];
  /** In order: of two changes with the same actor and id the later one counts. */
  readonly timers: readonly SessionTimer[];
  /** Events told to an actor that is not (or no longer) there. */
  readonly unheard: readonly Delivery[];
  /** False when every machine stayed as it was and nothing was asked for. */
  readonly changed: boolean;
}

/** One fact may cause this many deliveries before we call it a loop of our own making. */
export const DELIVERIES_MAX = 64;

export function kindOf(id: ActorId): string {
  return id.split('/', 1)[0] ?? id;
}

/**
 * Delivers events among the machines of a session until none is left. `tell` and `beget` effects are
 * consumed here; every other effect goes to the caller. A machine that reaches a final state leaves the
 * session, and its timers with it.
 */
export function stepSession<E extends Happening>(
  actors: Actors,
  before: SessionState,
  deliveries: readonly Delivery[],
  stamp: { readonly at: Instant; readonly entropy: EntropySeed },
): SessionStep<E> {
  const state: Record<ActorId, AnyMachineSnapshot> = { ...before };
  const queue: Delivery[] = [...deliveries];
  const effects: ActorEffect<E>[] = [];
  const timers: SessionTimer[] = [];
  const unheard: Delivery[] = [];
  let changed = false;
  for (let index = 0; index < queue.length; index += 1) {
    if (index >= DELIVERIES_MAX)
      throw new InvariantViolation(`more than ${DELIVERIES_MAX} deliveries in one step`);
    const delivery = queue[index] as Delivery;
    const id = delivery.type === 'tell' ? delivery.to : delivery.id;
    const machine = actors[kindOf(id)];
    invariant(machine !== undefined, `no machine of kind ${kindOf(id)}`);
    const current = state[id];
    if (delivery.type === 'tell' && current === undefined) {
      unheard.push(delivery);
      continue;
    }
    const stamped = { at: stamp.at, entropy: childSeed(stamp.entropy, index) };
    const outcome: Step<AnyMachineSnapshot, E | Delivery> =
      delivery.type === 'tell'
        ? step(machine, current as never, { ...delivery.event, ...stamped } as Stamped)
        : start(machine, { ...(delivery.input as object), ...stamped });
    if (delivery.type === 'beget') invariant(current === undefined, `${id} is already there`);
    if (outcome.snapshot !== current || outcome.effects.length > 0 || outcome.timers.length > 0)
      changed = true;
    for (const effect of outcome.effects) {
      if (effect.type === 'tell' || effect.type === 'beget') queue.push(effect as Delivery);
      else effects.push({ from: id, effect: effect as E });
    }
    for (const timer of outcome.timers) timers.push({ ...timer, actor: id });
    if (outcome.snapshot.status === 'active') state[id] = outcome.snapshot;
    else delete state[id];
  }
  return { state, effects, timers, unheard, changed };
}

export type StoredSession = Readonly<Record<ActorId, StoredMachine>>;

export function storedSession(state: SessionState): StoredSession {
  return Object.fromEntries(Object.entries(state).map(([id, snapshot]) => [id, stored(snapshot)]));
}

export function restoredSession(actors: Actors, from: StoredSession): SessionState {
  return Object.fromEntries(
    Object.entries(from).map(([id, machine]) => {
      const definition = actors[kindOf(id)];
      invariant(definition !== undefined, `no machine of kind ${kindOf(id)}`);
      return [id, restored(definition, machine)];
    }),
  );
}
