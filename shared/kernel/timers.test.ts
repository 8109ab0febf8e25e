import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SessionState, SessionTimer } from './session.ts';
import { changeTimers, fired, NO_TIMERS, nextTimer, type TimerTable } from './timers.ts';

// Only the presence of a machine matters to its timers.
const state = { a: {}, b: {} } as unknown as SessionState;
const arm = (actor: string, id: string, afterMs: number): SessionTimer => ({
  op: 'arm',
  actor,
  id,
  afterMs,
  event: { type: 'TO' },
});
const disarm = (actor: string, id: string): SessionTimer => ({ op: 'disarm', actor, id });

describe('timers', () => {
  test('the earliest fires first; equal deadlines in the order of arming', () => {
    const table = changeTimers(
      NO_TIMERS,
      [arm('a', 'x', 50), arm('a', 'y', 20), arm('b', 'x', 20)],
      state,
      1000,
    );
    expect(nextTimer(table)).toMatchObject({ actor: 'a', id: 'y', deadline: 1020 });
    const rest = fired(table, 'a#y', 2)?.table;
    expect(rest && nextTimer(rest)).toMatchObject({ actor: 'b', id: 'x' });
    expect(nextTimer(NO_TIMERS)).toBeUndefined();
  });

  test('a firing of an earlier generation is nothing (fact 9)', () => {
    const first = changeTimers(NO_TIMERS, [arm('a', 'x', 50)], state, 1000);
    const again = changeTimers(first, [disarm('a', 'x'), arm('a', 'x', 50)], state, 1010);
    expect(fired(again, 'a#x', 1)).toBeUndefined();
    expect(fired(again, 'a#x', 2)?.timer.deadline).toBe(1060);
    const stopped = changeTimers(first, [disarm('a', 'x')], state, 1010);
    expect(fired(stopped, 'a#x', 1)).toBeUndefined();
  });

  test('of two changes to the same timer the later one counts', () => {
    const one = changeTimers(NO_TIMERS, [arm('a', 'x', 50), disarm('a', 'x')], state, 0);
    expect(one.timers).toEqual({});
    const other = changeTimers(NO_TIMERS, [arm('a', 'x', 50), arm('a', 'x', 70)], state, 0);
    expect(nextTimer(other)?.deadline).toBe(70);
  });

  test('generations never repeat, and never two timers share one', () => {
    const change = fc.oneof(
      fc
        .tuple(fc.constantFrom('a', 'b'), fc.constantFrom('x', 'y'), fc.nat(100))
        .map(([actor, id, ms]) => arm(actor, id, ms)),
      fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom('x', 'y')).map(([actor, id]) => disarm(actor, id)),
    );
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 10 }), (steps) => {
        const seen = new Set<string>();
        let table: TimerTable = NO_TIMERS;
        for (const [at, changes] of steps.entries()) {
          table = changeTimers(table, changes, state, at);
          const now = Object.values(table.timers);
          expect(new Set(now.map((timer) => timer.generation)).size).toBe(now.length);
          for (const timer of now) {
            expect(timer.generation).toBeLessThan(table.nextGeneration);
            seen.add(`${timer.generation} ${timer.deadline} ${timer.actor}#${timer.id}`);
          }
        }
        expect(new Set([...seen].map((row) => row.split(' ')[0])).size).toBe(seen.size);
      }),
      { numRuns: 100 },
    );
  });
});
