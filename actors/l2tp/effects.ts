import type { ControlDatagram } from './messages.ts';
import type { EndReason } from './reasons.ts';

/** All that the machines of this package ask of their host. */
export type L2tpEffect =
  /** One control message for the peer. */
  | ({ readonly type: 'control.transmit' } & ControlDatagram)
  | { readonly type: 'tunnel.opened' }
  | { readonly type: 'tunnel.closed'; readonly reason: EndReason }
  /** How long ago did anything arrive through the session's SAs? Answered by the event `Activity`. */
  | { readonly type: 'activity.ask'; readonly tunnel: string }
  | { readonly type: 'link.start'; readonly call: number; readonly callingStation: string }
  /** PPP shall end in order, then ask for `Disconnect`. */
  | { readonly type: 'link.close'; readonly call: number; readonly reason: EndReason }
  | { readonly type: 'link.stop'; readonly call: number; readonly reason: EndReason }
  /** One line for the operator: `text` is one of a few, `result` may hold words of the peer. */
  | { readonly type: 'explain'; readonly text: string; readonly result: string }
  /** A datagram that came to nothing; the reason is a metric label. */
  | { readonly type: 'dropped'; readonly reason: string };
