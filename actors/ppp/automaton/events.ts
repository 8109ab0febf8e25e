import type { ControlPacket, CpOption } from '@culvert/wire/ppp';

/** The RFC 1661 §4.3 events, named as in the table of §4.1. What a packet said is judged before it gets here. */
export type AutomatonEvent =
  | { readonly type: 'Up' }
  | { readonly type: 'Down' }
  | { readonly type: 'Open' }
  /** `text` is shown to the peer's user in the Terminate-Request. */
  | { readonly type: 'Close'; readonly text?: string }
  /** Timeout; TO+ or TO- by the Restart counter. */
  | { readonly type: 'TO' }
  /** `reply` is the Configure-Ack, `options` what it acknowledges. */
  | { readonly type: 'RCR+'; readonly reply: ControlPacket; readonly options: readonly CpOption[] }
  /** `reply` is the Configure-Nak or Configure-Reject. */
  | { readonly type: 'RCR-'; readonly reply: ControlPacket }
  | { readonly type: 'RCA' }
  /** `request` is what we ask next, `refused` what the peer turned down of the last one. */
  | { readonly type: 'RCN'; readonly request: readonly CpOption[]; readonly refused: readonly CpOption[] }
  | { readonly type: 'RTR'; readonly identifier: number }
  | { readonly type: 'RTA' }
  /** `data` is that of the Code-Reject. */
  | { readonly type: 'RUC'; readonly data: Uint8Array }
  | { readonly type: 'RXJ+' }
  | { readonly type: 'RXJ-' }
  /** Echo-Request brings its reply along; Echo-Reply and Discard-Request have none. */
  | { readonly type: 'RXR'; readonly reply?: ControlPacket }
  /** Not of the RFC: the link is gone and takes the automaton with it. */
  | { readonly type: 'Dismiss' };

export type Layer = 'lcp' | 'ipcp' | 'ipv6cp';

/** What the automaton tells its owner: tlu, tld, tls, tlf of RFC 1661 §4.4. */
export type LayerEvent =
  /** `ours` the peer has acknowledged, `theirs` we have. */
  | {
      readonly type: 'LayerUp';
      readonly layer: Layer;
      readonly ours: readonly CpOption[];
      readonly theirs: readonly CpOption[];
    }
  /** `cause` tells the peer's Terminate-Request from a renegotiation. */
  | { readonly type: 'LayerDown'; readonly layer: Layer; readonly cause: AutomatonEvent['type'] }
  | { readonly type: 'LayerStarted'; readonly layer: Layer }
  /** `silent`: because the peer answered nothing. */
  | { readonly type: 'LayerFinished'; readonly layer: Layer; readonly silent: boolean };
