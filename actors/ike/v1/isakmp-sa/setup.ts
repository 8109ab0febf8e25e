import { setup } from 'xstate';
import type { IsakmpSaContext, IsakmpSaInput } from './context.ts';
import type { IsakmpSaEffect } from './effects.ts';
import type { IsakmpSaEvent, IsakmpSaHappening } from './events.ts';

export const isakmpSaSetup = setup({
  types: {} as {
    context: IsakmpSaContext;
    events: IsakmpSaEvent;
    emitted: IsakmpSaEffect;
    input: IsakmpSaInput;
  },
});

/** A timer's event as it is armed: the host stamps it when it fires. */
export function unstamped(event: IsakmpSaHappening): IsakmpSaEvent {
  return event as IsakmpSaEvent;
}
