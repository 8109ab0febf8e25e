import type { Delivery, Happening } from '@culvert/kernel';

/**
 * What one action works with: the context as it stands, which it replaces, and what it asks for. It is
 * carried out in the order of the calls; `machine.ts` alone knows XState.
 */
export interface Turn<C, E extends Happening, M> {
  context: C;
  readonly event: E;
  readonly emitted: M[];
  readonly raised: E[];
  readonly timers: TimerWish<E>[];
}

export type TimerWish<E> =
  | { readonly op: 'arm'; readonly id: string; readonly afterMs: number; readonly event: E }
  | { readonly op: 'disarm'; readonly id: string };

export function newTurn<C, E extends Happening, M>(context: C, event: E): Turn<C, E, M> {
  return { context, event, emitted: [], raised: [], timers: [] };
}

/** An event with what it carries. */
export type Telling = Happening & Readonly<Record<string, unknown>>;

export function tell(to: string, event: Telling): Delivery {
  return { type: 'tell', to, event };
}
