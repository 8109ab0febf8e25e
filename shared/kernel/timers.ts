import type { ActorId, SessionState, SessionTimer } from './session.ts';
import type { Happening } from './step.ts';
import type { Instant } from './time.ts';

/** One armed timer. Its generation tells a firing that is still in flight from its successor. */
export interface Timer {
  readonly actor: ActorId;
  readonly id: string;
  readonly deadline: Instant;
  readonly generation: number;
  readonly event: Happening;
}

export interface TimerTable {
  readonly nextGeneration: number;
  readonly timers: Readonly<Record<string, Timer>>;
}

export const NO_TIMERS: TimerTable = { nextGeneration: 1, timers: {} };

export function timerKey(actor: ActorId, id: string): string {
  return `${actor}#${id}`;
}

/** The table after a step at `now`. Timers of machines that have left the session go with them. */
export function changeTimers(
  table: TimerTable,
  changes: readonly SessionTimer[],
  state: SessionState,
  now: Instant,
): TimerTable {
  let nextGeneration = table.nextGeneration;
  const timers: Record<string, Timer> = { ...table.timers };
  for (const change of changes) {
    const key = timerKey(change.actor, change.id);
    if (change.op === 'disarm') delete timers[key];
    else {
      const { actor, id, event } = change;
      timers[key] = { actor, id, event, deadline: now + change.afterMs, generation: nextGeneration };
      nextGeneration += 1;
    }
  }
  for (const [key, timer] of Object.entries(timers)) if (state[timer.actor] === undefined) delete timers[key];
  return { nextGeneration, timers };
}

/** The timer that fires next, the earliest deadline first; equal deadlines in the order of arming. */
export function nextTimer(table: TimerTable): Timer | undefined {
  let next: Timer | undefined;
  for (const timer of Object.values(table.timers)) {
    const earlier =
      next === undefined ||
      timer.deadline < next.deadline ||
      (timer.deadline === next.deadline && timer.generation < next.generation);
    if (earlier) next = timer;
  }
  return next;
}

/** Takes a firing out of the table; undefined when its generation is no longer the current one. */
export function fired(
  table: TimerTable,
  key: string,
  generation: number,
): { table: TimerTable; timer: Timer } | undefined {
  const timer = table.timers[key];
  if (timer === undefined || timer.generation !== generation) return undefined;
  const { [key]: _gone, ...timers } = table.timers;
  return { table: { nextGeneration: table.nextGeneration, timers }, timer };
}
