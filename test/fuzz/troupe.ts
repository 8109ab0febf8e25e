import { isDeepStrictEqual } from 'node:util';
import { decode, encode } from '@culvert/bus';
import {
  type Actors,
  changeTimers,
  type Delivery,
  fired,
  type Happening,
  NO_TIMERS,
  nextTimer,
  restoredSession,
  type SessionState,
  type SessionStep,
  type StoredSession,
  stepSession,
  storedSession,
  type TimerTable,
  timerKey,
} from '@culvert/kernel';
import type { Chance } from '../sim/chance.ts';
import { fuzz, roundsOf } from './run.ts';

export const pick = <T>(chance: Chance, from: readonly T[]): T => from[chance.below(from.length)] as T;

/** The machines of one service, and what can happen to them. */
export interface Troupe {
  readonly name: string;
  readonly actors: Actors;
  /** What a client would do next to get on, or an ordinary fact where there is no such thing. */
  onward(chance: Chance, state: SessionState, at: number): readonly Delivery[] | { readonly drop: string };
  /** Something from outside, by way of the service's own classifier. */
  fact(chance: Chance, state: SessionState, at: number): readonly Delivery[] | { readonly drop: string };
  /** An event of the machine's own union, whether or not it could come now; undefined: none to give. */
  event(chance: Chance, id: string, state: SessionState): Happening | undefined;
}

interface Play {
  state: SessionState;
  timers: TimerTable;
  at: number;
  /** How often something happens that cannot. */
  readonly rough: number;
}

/** Steps of one session before it is left for a new one. */
const STEPS = 160;
const START = 1_800_000_000_000;
/** Of everything that is stored of a session. */
const STORED_OCTETS_MAX = 128 * 1024;
const ACTORS_MAX = 64;

export function fuzzTroupe(troupe: Troupe): void {
  fuzz(troupe.name, roundsOf(1 / 40), (chance) => {
    const rough = chance.next() * 0.2;
    const play: Play = { state: {}, timers: NO_TIMERS, at: START, rough };
    const story: string[] = [];
    try {
      for (let count = 0; count < STEPS; count += 1) turn(troupe, play, chance, story);
    } catch (error) {
      throw new Error(story.slice(-30).join('\n'), { cause: error });
    }
  });
}

function turn(troupe: Troupe, play: Play, chance: Chance, story: string[]): void {
  play.at += chance.happens(0.95) ? chance.below(100) : chance.below(90_000);
  const deliveries = happening(troupe, play, chance);
  if (deliveries.length === 0) return;
  story.push(deliveries.map(shown).join(' '));
  const stamp = { at: play.at, entropy: chance.octets(32) };
  const step = stepSession(troupe.actors, play.state, deliveries, stamp);
  if (chance.happens(0.2)) sameFromStorage(troupe, play.state, deliveries, stamp, step);
  play.state = step.state;
  play.timers = changeTimers(play.timers, step.timers, step.state, play.at);
  requireBounded(play.state);
}

/** Timers that are due come first, as in the host; else a fact, or anything at all. */
function happening(troupe: Troupe, play: Play, chance: Chance): readonly Delivery[] {
  const due = nextTimer(play.timers);
  if (due !== undefined && (due.deadline <= play.at || chance.happens(0.05))) {
    play.at = Math.max(play.at, due.deadline);
    const taken = fired(play.timers, timerKey(due.actor, due.id), due.generation);
    if (taken === undefined) throw new Error('the next timer is not armed');
    play.timers = taken.table;
    return [{ type: 'tell', to: due.actor, event: due.event }];
  }
  const ids = Object.keys(play.state);
  if (ids.length > 0 && chance.happens(play.rough)) {
    const to = pick(chance, ids);
    const event = troupe.event(chance, to, play.state);
    return event === undefined ? [] : [{ type: 'tell', to, event }];
  }
  const orderly = chance.happens(0.6);
  const answer = orderly
    ? troupe.onward(chance, play.state, play.at)
    : troupe.fact(chance, play.state, play.at);
  return 'drop' in answer ? [] : answer;
}

/** What is stored gives, when it is loaded again, the same step. */
function sameFromStorage(
  troupe: Troupe,
  before: SessionState,
  deliveries: readonly Delivery[],
  stamp: { readonly at: number; readonly entropy: Uint8Array },
  step: SessionStep<Happening>,
): void {
  const loaded = decode(encode(storedSession(before))) as StoredSession;
  const again = stepSession(troupe.actors, restoredSession(troupe.actors, loaded), deliveries, stamp);
  requireSame('state', storedSession(again.state), storedSession(step.state));
  requireSame('effects', again.effects, step.effects);
  requireSame('timers', again.timers, step.timers);
}

function requireSame(what: string, one: unknown, other: unknown): void {
  // An absent key and an undefined one are the same to whoever reads a context.
  const [left, right] = [JSON.stringify(plain(one)), JSON.stringify(plain(other))];
  if (!isDeepStrictEqual(left, right))
    throw new Error(`${what} differ after storage:\n${left}\n${right}`.slice(0, 4_000));
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value).toSorted();
  return Object.fromEntries(keys.map((key) => [key, plain((value as Record<string, unknown>)[key])]));
}

function requireBounded(state: SessionState): void {
  const ids = Object.keys(state);
  if (ids.length > ACTORS_MAX) throw new Error(`${ids.length} machines: ${ids.join(' ')}`);
  const { length } = encode(storedSession(state));
  if (length > STORED_OCTETS_MAX) throw new Error(`a session of ${length} octets`);
}

function shown(delivery: Delivery): string {
  return delivery.type === 'beget' ? `+${delivery.id}` : `${delivery.to}:${delivery.event.type}`;
}
