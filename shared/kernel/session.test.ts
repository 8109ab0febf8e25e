import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assign, cancel, emit, enqueueActions, setup } from 'xstate';
import { migrate } from './checkpoint.ts';
import { exposed } from './entropy.ts';
import { InvariantViolation } from './invariant.ts';
import {
  DELIVERIES_MAX,
  type Delivery,
  kindOf,
  restoredSession,
  type SessionState,
  stepSession,
  storedSession,
} from './session.ts';
import type { Happening } from './step.ts';
import { changeTimers, NO_TIMERS } from './timers.ts';

const SEED = new Uint8Array(32).fill(7);
const stamp = { at: 1000, entropy: SEED };
const tell = (to: string, type: string, rest: object = {}) => ({
  type: 'tell' as const,
  to,
  event: { type, ...rest },
});

/** `lower` says Up to `upper`; `upper` begets a child, arms a timer, asks for effects. */
const lower = setup({
  types: {} as {
    context: { at: number };
    events: { type: 'Open' | 'Close' | 'Chatter'; at: number };
    emitted: Delivery;
  },
  actions: {
    up: emit({ type: 'tell', to: 'upper', event: { type: 'Up' } } as const),
    chatter: emit({ type: 'tell', to: 'upper', event: { type: 'Chatter' } } as const),
    when: assign(({ event }) => ({ at: event.at })),
  },
}).createMachine({
  context: () => ({ at: 0 }),
  initial: 'down',
  on: { Chatter: { actions: 'chatter' } },
  states: {
    down: { on: { Open: { target: 'up', actions: ['when', 'up'] } } },
    up: { on: { Close: 'closed' } },
    closed: { type: 'final' },
  },
});

const upper = setup({
  types: {} as {
    context: { magic: Uint8Array; ups: number };
    events: { type: 'Up' | 'Again' | 'Quiet' | 'Chatter' | 'TO'; entropy: Uint8Array };
    emitted: Delivery | { type: 'send'; octets: Uint8Array };
    input: { entropy: Uint8Array };
  },
  actions: {
    grow: enqueueActions(({ context, event, enqueue }) => {
      const magic = exposed(event.entropy, 1, 4);
      enqueue.assign({ magic, ups: context.ups + 1 });
      enqueue.emit({ type: 'send', octets: magic });
      enqueue.emit({ type: 'beget', id: `child/${context.ups}`, input: { from: 'upper' } });
      enqueue.cancel('again');
      enqueue.raise({ type: 'TO' } as never, { id: 'again', delay: 500 });
    }),
    chatter: emit({ type: 'tell', to: 'lower', event: { type: 'Chatter' } } as const),
    quiet: cancel('again'),
  },
}).createMachine({
  context: ({ input }) => ({
    magic: input?.entropy === undefined ? new Uint8Array(4) : exposed(input.entropy, 0, 4),
    ups: 0,
  }),
  on: {
    Up: { actions: 'grow' },
    Again: { actions: 'grow' },
    TO: { actions: 'grow' },
    Quiet: { actions: 'quiet' },
    Chatter: { actions: 'chatter' },
  },
});

const child = setup({
  types: {} as { context: { from: string; at: number }; input: { from: string; at: number } },
}).createMachine({ context: ({ input }) => ({ from: input?.from ?? '', at: input?.at ?? 0 }) });

const ACTORS = { lower, upper, child };
const begun = () =>
  stepSession(
    ACTORS,
    {},
    [
      { type: 'beget', id: 'lower', input: {} },
      { type: 'beget', id: 'upper', input: {} },
    ],
    stamp,
  );

describe('the router', () => {
  test('delivers until none is left, in one step', () => {
    const { state } = begun();
    const outcome = stepSession<Happening>(ACTORS, state, [tell('lower', 'Open')], stamp);
    expect(Object.keys(outcome.state).sort()).toEqual(['child/0', 'lower', 'upper']);
    expect(outcome.effects.map(({ from, effect }) => [from, effect.type])).toEqual([['upper', 'send']]);
    expect(outcome.timers.map(({ actor, op }) => [actor, op])).toEqual([
      ['upper', 'disarm'],
      ['upper', 'arm'],
    ]);
    expect(outcome.state['child/0']?.context).toEqual({ from: 'upper', at: 1000 });
    expect(outcome.changed).toBe(true);
  });

  test('every delivery has its own random octets, the same at every replay', () => {
    const { state } = begun();
    const twice = [tell('upper', 'Up'), tell('upper', 'Up')];
    const sent = () =>
      stepSession<Happening & { octets: Uint8Array }>(ACTORS, state, twice, stamp).effects.map(
        ({ effect }) => effect.octets,
      );
    expect(sent()[0]).not.toEqual(sent()[1]);
    expect(sent()).toEqual(sent());
  });

  test('what nobody hears changes nothing and is reported', () => {
    const { state } = begun();
    const outcome = stepSession(ACTORS, state, [tell('child/9', 'Hello')], stamp);
    expect(outcome).toMatchObject({ changed: false, effects: [], timers: [], unheard: [{ to: 'child/9' }] });
    expect(outcome.state).toEqual(state);
    expect(stepSession(ACTORS, state, [tell('lower', 'Unknown')], stamp).changed).toBe(false);
  });

  test('a finished machine leaves, and its timers with it', () => {
    const { state } = begun();
    const up = stepSession(ACTORS, state, [tell('lower', 'Open')], stamp);
    const table = changeTimers(NO_TIMERS, up.timers, up.state, 1000);
    expect(Object.keys(table.timers)).toEqual(['upper#again']);
    const over = stepSession(ACTORS, up.state, [tell('lower', 'Close')], stamp);
    expect(Object.keys(over.state).sort()).toEqual(['child/0', 'upper']);
    const { upper: _gone, ...rest } = over.state;
    expect(changeTimers(table, [], rest, 1000).timers).toEqual({});
  });

  test(`${DELIVERIES_MAX} deliveries are the limit`, () => {
    const { state } = begun();
    expect(() => stepSession(ACTORS, state, [tell('lower', 'Chatter')], stamp)).toThrow(InvariantViolation);
    const many = Array.from({ length: DELIVERIES_MAX }, () => tell('nobody/1', 'x'));
    expect(() => stepSession({ ...ACTORS, nobody: child }, state, many, stamp)).not.toThrow();
    expect(() => stepSession({ ...ACTORS, nobody: child }, state, [...many, ...many], stamp)).toThrow(
      InvariantViolation,
    );
  });

  test('faults of ours throw: an unknown kind, the same id twice', () => {
    const { state } = begun();
    expect(() => stepSession(ACTORS, state, [tell('stranger', 'x')], stamp)).toThrow(InvariantViolation);
    expect(() => stepSession(ACTORS, state, [{ type: 'beget', id: 'lower', input: {} }], stamp)).toThrow(
      InvariantViolation,
    );
    expect(() => restoredSession(ACTORS, { stranger: { value: {}, context: {} } })).toThrow(
      InvariantViolation,
    );
  });

  test('the state before is untouched', () => {
    const { state } = begun();
    const before = storedSession(state);
    stepSession(ACTORS, state, [tell('lower', 'Open')], stamp);
    expect(storedSession(state)).toEqual(before);
  });

  test('kinds', () => {
    expect(['link', 'quick-mode/3fa0', 'a/b/c'].map(kindOf)).toEqual(['link', 'quick-mode', 'a']);
  });
});

test('with a checkpoint after every step a session runs as if it had never stopped', () => {
  const event = fc.constantFrom(
    tell('lower', 'Open'),
    tell('lower', 'Close'),
    tell('upper', 'Again'),
    tell('upper', 'Quiet'),
    tell('child/0', 'x'),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(event, fc.uint8Array({ minLength: 32, maxLength: 32 })), { maxLength: 12 }),
      (events) => {
        let live: SessionState = begun().state;
        let again: SessionState = begun().state;
        let [liveTimers, againTimers] = [NO_TIMERS, NO_TIMERS];
        let at = 1000;
        for (const [delivery, entropy] of events) {
          at += 10;
          const one = stepSession<Happening>(ACTORS, live, [delivery], { at, entropy });
          const other = stepSession<Happening>(
            ACTORS,
            restoredSession(ACTORS, structuredClone(storedSession(again))),
            [delivery],
            { at, entropy },
          );
          expect(other.effects).toEqual(one.effects);
          expect(other.timers).toEqual(one.timers);
          expect(other.changed).toBe(one.changed);
          expect(storedSession(other.state)).toEqual(storedSession(one.state));
          [live, again] = [one.state, other.state];
          liveTimers = changeTimers(liveTimers, one.timers, one.state, at);
          againTimers = changeTimers(structuredClone(againTimers), other.timers, other.state, at);
          expect(againTimers).toEqual(liveTimers);
        }
      },
    ),
    { numRuns: 60 },
  );
});

describe('migrations', () => {
  test('are applied one after the other', () => {
    const steps = { 1: (old: string) => `${old}2`, 2: (old: string) => `${old}3` };
    expect(migrate('1', 1, 3, steps)).toBe('123');
    expect(migrate('3', 3, 3, steps)).toBe('3');
  });

  test('a gap and a newer version are refused', () => {
    expect(() => migrate('1', 1, 3, { 1: (old: string) => old })).toThrow(InvariantViolation);
    expect(() => migrate('4', 4, 3, {})).toThrow(InvariantViolation);
  });
});
