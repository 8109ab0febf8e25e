import type { Stamped } from '@culvert/kernel';
import type { Accepted } from '../auth/events.ts';
import type { AuthMethod } from '../auth/proof.ts';
import type { LayerEvent } from '../automaton/events.ts';
import type { EndReason } from './reasons.ts';

/** The link cannot go on; `message` is for the operator. */
export interface Failed {
  readonly type: 'Failed';
  readonly reason: EndReason;
  readonly message: string;
}

/** Addresses of one link. */
export interface Lease {
  /** Four octets each. */
  readonly ipv4?: { readonly address: Uint8Array; readonly gateway: Uint8Array };
  /** Sixteen octets, zero behind the prefix. */
  readonly ipv6?: { readonly prefix: Uint8Array; readonly prefixLength: number };
}

type LinkFact =
  | { readonly type: 'Start' }
  /** aaa can verify these. */
  | { readonly type: 'Offered'; readonly methods: readonly AuthMethod[] }
  | LayerEvent
  | Failed
  | Accepted
  | { readonly type: 'Refused'; readonly reason: string; readonly user: string }
  | { readonly type: 'Leased'; readonly lease: Lease }
  | { readonly type: 'Unleased'; readonly reason: string }
  /** A frame of a protocol we do not speak; `data` is that of the Protocol-Reject. */
  | { readonly type: 'Unknown'; readonly protocol: number; readonly data: Uint8Array }
  /** The peer's Protocol-Reject. */
  | { readonly type: 'Rejected'; readonly protocol: number }
  | { readonly type: 'Identified'; readonly message: Uint8Array }
  /** Another service wants the link to end in order. */
  | { readonly type: 'CloseLink'; readonly reason: EndReason }
  /** The call is gone: nothing can be sent any more. */
  | { readonly type: 'StopLink'; readonly reason: EndReason }
  | { readonly type: 'PhaseExpired' }
  | { readonly type: 'LifetimeExpired' };

export type LinkEvent = LinkFact & Partial<Stamped>;
