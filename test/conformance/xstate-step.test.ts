import { automaton } from '@culvert/actors-ppp';
import { type Happening, start, step } from '@culvert/kernel';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AnyMachineSnapshot, initialTransition, transition } from 'xstate';

/** XState's own pure function, and ours over a scope that is used again: one must be the other. */
interface Raw {
  readonly type: string;
  readonly params?: {
    readonly event?: Happening;
    readonly id?: string;
    readonly delay?: number;
    readonly sendId?: string;
  };
}

const reply = { code: 2, identifier: 7, data: new Uint8Array(0) };
const EVENTS: readonly Happening[] = [
  { type: 'Up' },
  { type: 'Down' },
  { type: 'Open' },
  { type: 'Close' },
  { type: 'TO' },
  { type: 'RCR+', reply, options: [] } as Happening,
  { type: 'RCR-', reply } as Happening,
  { type: 'RCA' },
  { type: 'RCN', request: [], refused: [] } as Happening,
  { type: 'RTR', identifier: 9 } as Happening,
  { type: 'RTA' },
  { type: 'RUC', data: new Uint8Array(4) } as Happening,
  { type: 'RXJ+' },
  { type: 'RXJ-' },
  { type: 'RXR', reply } as Happening,
  { type: 'nonsense' },
];

/** The public function's raw actions in the kernel's terms. */
function sorted(raw: readonly Raw[]) {
  return {
    effects: raw.filter((action) => action.type === 'xstate.emit').map((action) => action.params?.event),
    timers: raw.flatMap(({ type, params }) => {
      if (type === 'xstate.cancel') return [{ op: 'disarm', id: params?.sendId }];
      if (type !== 'xstate.raise' || params?.delay === undefined) return [];
      return [{ op: 'arm', id: params.id, afterMs: params.delay, event: params.event }];
    }),
  };
}

test('a reused scope gives the same run as XState itself, step by step', () => {
  const events = fc.array(fc.constantFrom(...EVENTS), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(events, fc.integer({ min: 0, max: 65_535 }), (run, call) => {
      const input = { owner: 'link', layer: 'lcp' as const, call, protocol: 0xc021 };
      const [theirStart, theirFirst] = initialTransition(automaton, input as never);
      const ours = start(automaton, input as never);
      expect({ effects: ours.effects, timers: ours.timers }).toEqual(sorted(theirFirst as unknown as Raw[]));
      let theirs: AnyMachineSnapshot = theirStart;
      let mine: AnyMachineSnapshot = ours.snapshot;
      for (const event of run) {
        const [next, raw] = transition(automaton, theirs as never, event as never);
        const taken = step(automaton, mine as never, event);
        expect(taken.snapshot.value).toEqual(next.value);
        expect(taken.snapshot.context).toEqual(next.context);
        expect(taken.snapshot === mine).toBe(next === theirs);
        expect({ effects: taken.effects, timers: taken.timers }).toEqual(sorted(raw as unknown as Raw[]));
        theirs = next;
        mine = taken.snapshot;
      }
    }),
    { numRuns: 200 },
  );
});
