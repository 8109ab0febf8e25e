export type { CallContext, CallEvent, CallInput } from './call/context.ts';
export { callMachine } from './call/machine.ts';
export {
  type Call,
  type ClassifyPolicy,
  callsOf,
  classify,
  type L2tpBody,
  type L2tpFact,
  tunnelsOf,
} from './classify.ts';
export type { Delivery, DeliveryPolicy, DeliveryStep, Transmission } from './delivery/delivery.ts';
export type { L2tpEffect } from './effects.ts';
export { CALLS_PER_SESSION_MAX, DELIVERY_DEFAULTS, RECEIVE_WINDOW_MAX, TUNNELS_MAX } from './limits.ts';
export type { ControlDatagram, Heard, InnerPorts, Spoken } from './messages.ts';
export type { EndReason } from './reasons.ts';
export {
  callActor,
  type TunnelContext,
  type TunnelInput,
  type TunnelPolicy,
  tunnelActor,
} from './tunnel/context.ts';
export type { TunnelEvent } from './tunnel/events.ts';
export { tunnelMachine } from './tunnel/machine.ts';

import { callMachine } from './call/machine.ts';
import { tunnelMachine } from './tunnel/machine.ts';

/** The machines of the L2TP part of a session, by kind. */
export const l2tpActors = { tunnel: tunnelMachine, call: callMachine } as const;
