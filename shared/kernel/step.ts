import type { AnyMachineSnapshot, AnyStateMachine, InputFrom, SnapshotFrom } from 'xstate';
import { InvariantViolation } from './invariant.ts';
import { type RawAction, withScope } from './scope.ts';

export interface Happening {
  readonly type: string;
}

export type TimerChange =
  | { readonly op: 'arm'; readonly id: string; readonly afterMs: number; readonly event: Happening }
  | { readonly op: 'disarm'; readonly id: string };

export interface Step<S, E> {
  readonly snapshot: S;
  readonly effects: readonly E[];
  readonly timers: readonly TimerChange[];
}

/** The first snapshot of a machine, with what its initial state asks for. */
export function start<M extends AnyStateMachine, E extends Happening>(
  machine: M,
  input: InputFrom<M>,
): Step<SnapshotFrom<M>, E> {
  const [snapshot, raw] = withScope(machine, (scope) => machine.getInitialSnapshot(scope, input));
  return sorted<SnapshotFrom<M>, E>(snapshot as SnapshotFrom<M>, raw);
}

/** One event, purely: nothing outside the answer has happened. A finished machine ignores everything. */
export function step<M extends AnyStateMachine, E extends Happening>(
  machine: M,
  snapshot: SnapshotFrom<M>,
  event: Happening,
): Step<SnapshotFrom<M>, E> {
  if ((snapshot as AnyMachineSnapshot).status !== 'active') return { snapshot, effects: [], timers: [] };
  const [next, raw] = withScope(machine, (scope) => machine.transition(snapshot, event, scope));
  return sorted<SnapshotFrom<M>, E>(next as SnapshotFrom<M>, raw);
}

function sorted<S, E>(snapshot: S, raw: readonly RawAction[]): Step<S, E> {
  // An exception in the actions of an initial state becomes a snapshot in place of being thrown.
  const { status, error } = snapshot as AnyMachineSnapshot;
  if (status === 'error') throw new InvariantViolation('a machine could not start', { cause: error });
  const effects: E[] = [];
  const timers: TimerChange[] = [];
  for (const action of raw) {
    switch (action.type) {
      case 'xstate.emit':
        effects.push((action.params as { event: E }).event);
        break;
      case 'xstate.cancel':
        timers.push({ op: 'disarm', id: (action.params as { sendId: string }).sendId });
        break;
      case 'xstate.raise': {
        const { id, delay, event } = action.params as { id?: string; delay?: number; event: Happening };
        if (delay === undefined) break; // already consumed inside the macrostep
        // A delay that is not a number would fire at once, or never (XState checks nothing).
        if (!Number.isFinite(delay) || delay < 0)
          throw new InvariantViolation(`timer for ${event.type} has delay ${delay}`);
        if (id === undefined) throw new InvariantViolation(`timer for ${event.type} has no id`);
        timers.push({ op: 'arm', id, afterMs: delay, event });
        break;
      }
      default:
        throw new InvariantViolation(`machine used a forbidden action: ${action.type}`);
    }
  }
  return { snapshot, effects, timers };
}
