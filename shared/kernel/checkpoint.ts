import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { InvariantViolation } from './invariant.ts';

/** What is stored of one machine. Context holds plain data only: no Map, Set, class instance or key. */
export interface StoredMachine {
  readonly value: AnyMachineSnapshot['value'];
  readonly context: Record<string, unknown>;
}

export function stored(snapshot: AnyMachineSnapshot): StoredMachine {
  return { value: snapshot.value, context: snapshot.context };
}

/** Throws when the value names a state that the machine does not have: a migration is missing. */
export function restored<M extends AnyStateMachine>(machine: M, from: StoredMachine): AnyMachineSnapshot {
  return machine.resolveState({ value: from.value as never, context: from.context as never });
}

/** Brings the stored form of version n to version n + 1. Keyed by the version it starts from. */
export type Migrations<T> = Readonly<Record<number, (old: T) => T>>;

export function migrate<T>(from: T, version: number, current: number, migrations: Migrations<T>): T {
  if (version > current) {
    throw new InvariantViolation(`stored version ${version} is newer than this program's ${current}`);
  }
  let value = from;
  for (let at = version; at < current; at += 1) {
    const next = migrations[at];
    if (next === undefined) throw new InvariantViolation(`no migration from stored version ${at}`);
    value = next(value);
  }
  return value;
}
