import type { Stamped } from '@culvert/kernel';
import type { EndReason } from './reasons.ts';

/** What the machines of the session and the other services report. */
export type SessionHappening =
  | { readonly type: 'ISAKMP-UP'; readonly id: string }
  | { readonly type: 'ISAKMP-DOWN'; readonly id: string; readonly silent: boolean }
  | { readonly type: 'IPSEC-UP'; readonly id: string; readonly spi: number }
  | { readonly type: 'IPSEC-DOWN'; readonly id: string; readonly expired: boolean }
  | { readonly type: 'ANNOUNCE-DELETE'; readonly spis: readonly number[] }
  | { readonly type: 'TUNNEL-OPENED' }
  | { readonly type: 'TUNNEL-CLOSED'; readonly reason: EndReason }
  | { readonly type: 'CLOSE'; readonly reason: EndReason }
  /** The peer has started anew from the same address and port (INITIAL-CONTACT). */
  | { readonly type: 'SUPERSEDED' }
  /** l2tp has answered `session.ended` or `close`; `known` is false when it has no such session. */
  | { readonly type: 'TOLD'; readonly known: boolean }
  | { readonly type: 'AWAITED' }
  | { readonly type: 'GIVE-UP' };

export type SessionEvent = SessionHappening & Stamped;
