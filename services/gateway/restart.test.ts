import { describe, expect, test } from 'vitest';
import { NEVER_ENDED, type RestartState, restartAfter } from './restart.ts';

function ended(times: number, ranMs: number): { delays: number[]; loops: boolean[]; state: RestartState } {
  let state = NEVER_ENDED;
  let now = 0;
  const delays: number[] = [];
  const loops: boolean[] = [];
  for (let time = 0; time < times; time += 1) {
    const next = restartAfter(state, now, now + ranMs);
    now += ranMs + next.delayMs;
    state = next.state;
    delays.push(next.delayMs);
    loops.push(next.crashLoop);
  }
  return { delays, loops, state };
}

describe('restart', () => {
  test('waits twice as long after each quick end, up to half a minute', () => {
    expect(ended(9, 100).delays).toEqual([250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
  });

  test('calls the fifth quick end, and those after it, a loop', () => {
    expect(ended(6, 100).loops).toEqual([false, false, false, false, true, true]);
  });

  test('forgets after a good run', () => {
    const { state } = ended(6, 100);
    expect(restartAfter(state, 0, 60_000)).toMatchObject({ delayMs: 250, crashLoop: false });
  });

  test('a child that always runs well never loops', () => {
    expect(ended(10, 120_000).loops).not.toContain(true);
  });
});
