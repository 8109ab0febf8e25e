import { type AnyActorScope, type AnyStateMachine, createActor } from 'xstate';

/** What XState hands to an actor scope for each action of a step; the published types leave out emit and cancel. */
export interface RawAction {
  readonly type: string;
  readonly params?: unknown;
}

interface Scope {
  readonly scope: AnyActorScope;
  /** Filled by the step under way. */
  actions: RawAction[];
}

const scopes = new WeakMap<AnyStateMachine, Scope>();

/**
 * XState's `transition` makes an inert actor for every call, which costs more than the step itself. One per
 * machine does as well, because nothing of a step is kept in it: our machines neither spawn nor look at
 * `self` or `system`. A test holds this against `transition` over random events.
 */
export function withScope<T>(
  machine: AnyStateMachine,
  work: (scope: AnyActorScope) => T,
): readonly [T, readonly RawAction[]] {
  const own = scopes.get(machine) ?? newScope(machine);
  const actions: RawAction[] = [];
  own.actions = actions;
  return [work(own.scope), actions];
}

function newScope(machine: AnyStateMachine): Scope {
  const self = createActor(machine);
  const nothing = () => {};
  const own: Scope = {
    actions: [],
    scope: {
      self,
      system: self.system,
      id: '',
      sessionId: '',
      logger: nothing,
      defer: nothing,
      emit: nothing,
      stopChild: nothing,
      actionExecutor: (action) => {
        own.actions.push(action);
      },
    },
  };
  scopes.set(machine, own);
  return own;
}
