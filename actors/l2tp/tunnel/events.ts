import type { Stamped } from '@culvert/kernel';
import type { Heard, Spoken } from '../messages.ts';
import type { EndReason } from '../reasons.ts';

interface From<T extends string> extends Stamped {
  readonly type: T;
  readonly heard: Heard;
}

interface Plain<T extends string> extends Stamped {
  readonly type: T;
}

/** A datagram for this tunnel; without `heard` it is a ZLB. */
export interface PacketEvent extends Plain<'Packet'> {
  readonly ns: number;
  readonly nr: number;
  readonly heard?: Heard;
}

/** Control messages in order, as RFC 2661 §7.2.1 names them. */
export type MessageEvent = From<'SCCRQ'> | From<'SCCRP'> | From<'SCCCN'> | From<'StopCCN'> | From<'HELLO'>;

export type TunnelEvent =
  | PacketEvent
  | MessageEvent
  /** A message of the session kind (§6.6 to §6.14), for a call. */
  | From<'CallMessage'>
  /** A message that ends what it belongs to (§4.1). */
  | From<'Fault'>
  | From<'CallFault'>
  /** §7.2.1 Local open request; `call` waits for the tunnel. */
  | (Plain<'LocalOpen'> & { readonly call: number })
  /** We lost the tie-breaker (§4.4.3), or the peer has begun again under the same Tunnel ID. */
  | Plain<'TieLost'>
  | Plain<'Superseded'>
  /** From a call. */
  | (Plain<'Send'> & { readonly message: Spoken })
  | (Plain<'CallOver'> & { readonly call: number })
  /** Admin Tunnel Close, in order. */
  | (Plain<'Close'> & { readonly reason: EndReason })
  /** The last SA is gone. */
  | (Plain<'SessionEnded'> & { readonly reason: EndReason })
  | Plain<'Restored'>
  /** The edge's answer; without a number when it could not be asked, or knows no SA of the session. */
  | (Plain<'Activity'> & { readonly idleMs?: number })
  | Plain<'GaveUp'>
  | Plain<'HelloUnanswered'>
  | Plain<'RetransmitTimeout'>
  | Plain<'AckTimeout'>
  | Plain<'IdleTimeout'>
  | Plain<'SetupTimeout'>
  | Plain<'EmptyTimeout'>
  | Plain<'CloseTimeout'>
  | Plain<'LingerTimeout'>;
