/** When a child that has ended is started again. Plain reducer: time is an argument. */
export interface RestartState {
  /** When each of the last ends happened, milliseconds, oldest first. */
  readonly ends: readonly number[];
  readonly delayMs: number;
}

export interface Restart {
  readonly state: RestartState;
  readonly delayMs: number;
  /** Ended so often in a row that a person should look. True at each such end. */
  readonly crashLoop: boolean;
}

const FIRST_DELAY_MS = 250;
const DELAY_MAX_MS = 30_000;
/** A child that ran for so long was well; its end starts a new count. */
const WELL_AFTER_MS = 60_000;
const LOOP_ENDS = 5;

export const NEVER_ENDED: RestartState = { ends: [], delayMs: 0 };

export function restartAfter(state: RestartState, startedAt: number, endedAt: number): Restart {
  const well = endedAt - startedAt >= WELL_AFTER_MS;
  const ends = well ? [endedAt] : [...state.ends, endedAt].slice(-LOOP_ENDS);
  const delayMs = well || state.delayMs === 0 ? FIRST_DELAY_MS : Math.min(DELAY_MAX_MS, state.delayMs * 2);
  return { state: { ends, delayMs }, delayMs, crashLoop: ends.length === LOOP_ENDS };
}
