/** The facts of layout §4 that the kernel stands on; a new XState that changes one fails here. */
import { describe, expect, test } from 'vitest';
import {
  assign,
  cancel,
  createMachine,
  emit,
  fromPromise,
  log,
  raise,
  sendTo,
  setup,
  spawnChild,
} from 'xstate';
import { restored, stored } from './checkpoint.ts';
import { InvariantViolation } from './invariant.ts';
import { start, step } from './step.ts';

const base = setup({
  types: {} as {
    context: { n: number; octets: Uint8Array };
    events: { type: 'Go' | 'TO' | 'Stay' | 'End' | 'Fail' };
  },
  actions: {
    send: emit({ type: 'send', text: 'x' }),
    arm: raise({ type: 'TO' }, { id: 'restart', delay: 3000 }),
    stop: cancel('restart'),
    count: assign(({ context }) => ({ n: context.n + 1 })),
  },
});

const machine = base.createMachine({
  id: 'timed',
  context: () => ({ n: 0, octets: Uint8Array.of(1, 2) }),
  initial: 'idle',
  on: {
    Fail: {
      actions: assign(() => {
        throw new Error('planned fault');
      }),
    },
  },
  states: {
    idle: { on: { Go: { target: 'running', actions: ['count', 'send'] }, Stay: {} } },
    running: {
      entry: ['stop', 'arm'],
      exit: 'stop',
      on: { TO: { target: 'running', reenter: true, actions: 'count' }, End: 'over' },
    },
    over: { type: 'final' },
  },
});

describe('step', () => {
  test('gives emitted effects and timer changes, and performs nothing', () => {
    const first = start(machine, undefined);
    expect(first).toMatchObject({ effects: [], timers: [] });
    const { snapshot, effects, timers } = step(machine, first.snapshot, { type: 'Go' });
    expect(snapshot.value).toBe('running');
    expect(snapshot.context.n).toBe(1);
    expect(effects).toEqual([{ type: 'send', text: 'x' }]);
    expect(timers).toEqual([
      { op: 'disarm', id: 'restart' },
      { op: 'arm', id: 'restart', afterMs: 3000, event: { type: 'TO' } },
    ]);
    expect(first.snapshot.value).toBe('idle');
  });

  test('re-entering stops the timer before it is armed again (fact 7)', () => {
    const running = step(machine, start(machine, undefined).snapshot, { type: 'Go' }).snapshot;
    const { timers } = step(machine, running, { type: 'TO' });
    expect(timers.map((timer) => timer.op)).toEqual(['disarm', 'disarm', 'arm']);
  });

  test('an event that nothing handles gives the same snapshot (fact 15)', () => {
    const { snapshot } = start(machine, undefined);
    expect(step(machine, snapshot, { type: 'Unknown' }).snapshot).toBe(snapshot);
    expect(step(machine, snapshot, { type: 'Stay' }).snapshot).toBe(snapshot);
  });

  test('a finished machine ignores everything, its root handlers too (fact 14)', () => {
    const running = step(machine, start(machine, undefined).snapshot, { type: 'Go' }).snapshot;
    const over = step(machine, running, { type: 'End' }).snapshot;
    expect(over.status).toBe('done');
    expect(step(machine, over, { type: 'Fail' })).toEqual({ snapshot: over, effects: [], timers: [] });
  });

  test('an exception of ours comes out (fact 2)', () => {
    expect(() => step(machine, start(machine, undefined).snapshot, { type: 'Fail' })).toThrow(
      'planned fault',
    );
  });

  test('restoring at every step gives the same run as never stopping', () => {
    let live = start(machine, undefined).snapshot;
    let again = live;
    for (const type of ['Go', 'TO', 'Unknown', 'TO', 'End']) {
      const one = step(machine, live, { type });
      const other = step(machine, restored(machine, stored(again)) as typeof again, { type });
      expect(other.effects).toEqual(one.effects);
      expect(other.timers).toEqual(one.timers);
      expect(stored(other.snapshot)).toEqual(stored(one.snapshot));
      [live, again] = [one.snapshot, other.snapshot];
    }
  });

  test('an unknown state does not restore (fact 13)', () => {
    expect(() => restored(machine, { value: 'nowhere', context: {} })).toThrow();
  });
});

describe('what machines may not do', () => {
  const with_ = (entry: object) => createMachine({ entry: entry as never, initial: 'a', states: { a: {} } });
  const child = createMachine({});
  const forbidden: Record<string, object> = {
    'an inline function': () => undefined,
    'a log': log('text'),
    'an undeclared name': { type: 'nowhere' },
    'a child': spawnChild(child, { id: 'c' }),
    'a message to an actor': sendTo('other', { type: 'Go' }),
    'an exception in an initial action': assign(() => {
      throw new Error('planned fault');
    }),
    'a timer without an id': raise({ type: 'TO' }, { delay: 10 }),
    'a timer with a delay that is no number': raise({ type: 'TO' }, { id: 'x', delay: () => Number.NaN }),
    'a timer in the past': raise({ type: 'TO' }, { id: 'x', delay: -1 }),
  };
  test.each(Object.entries(forbidden))('%s', (_name, entry) => {
    expect(() => start(with_(entry), undefined)).toThrow(InvariantViolation);
  });

  test('invoke', () => {
    const invoking = createMachine({ invoke: { src: fromPromise(() => Promise.resolve()) } });
    expect(() => start(invoking, undefined)).toThrow(InvariantViolation);
  });

  test('an undelayed raise is consumed inside the step (fact 4)', () => {
    const inner = createMachine({
      initial: 'a',
      states: { a: { entry: raise({ type: 'Next' }), on: { Next: 'b' } }, b: {} },
    });
    expect(start(inner, undefined)).toMatchObject({ effects: [], timers: [] });
    expect(start(inner, undefined).snapshot.value).toBe('b');
  });
});
