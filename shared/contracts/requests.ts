import type { SessionId } from './session.ts';

/**
 * What one service asks of another about a session. Carried as NATS requests with an effect id, repeated
 * from the sender's outbox until answered; the receiver answers once the request is in a durable step,
 * and knows a repeated one by its id.
 */
export interface Requested<R> {
  /** `session/machine/seq/index` of the sender: the idempotency key. */
  readonly id: string;
  readonly session: SessionId;
  readonly request: R;
}

export type Taken =
  | { readonly taken: true }
  | { readonly taken: false; readonly reason: 'no-session' | 'draining' | 'limit' };

/** Why something ended, for logs, RADIUS and the operator; the protocols' own codes are derived from it. */
export type EndReason =
  | 'peer-closed'
  | 'operator'
  | 'authentication-failed'
  | 'negotiation-failed'
  | 'no-address'
  | 'peer-silent'
  | 'lifetime'
  | 'session-ended'
  | 'protocol-error'
  | 'limit'
  | 'shutdown';

/** To ike. */
export type IkeRequest =
  | { readonly type: 'tunnel.opened' }
  | { readonly type: 'tunnel.closed'; readonly reason: EndReason }
  /** Ends the whole session in order: PPP, L2TP, IPsec SAs, ISAKMP SA. */
  | { readonly type: 'close'; readonly reason: EndReason };

/** To l2tp. */
export type L2tpRequest =
  /** Close in order, then tell ike `tunnel.closed`. */
  | { readonly type: 'close'; readonly reason: EndReason }
  /** The last ESP SA is gone: nothing can be sent any more. */
  | { readonly type: 'session.ended'; readonly reason: EndReason }
  /** ppp has ended the link: send CDN. `advice` is the RFC 3145-like text for the Result Code AVP. */
  | {
      readonly type: 'call.disconnect';
      readonly call: number;
      readonly reason: EndReason;
      readonly advice: string;
    };

/** To ppp. */
export type PppRequest =
  | {
      readonly type: 'link.start';
      readonly call: number;
      /** Shown to the operator and, later, Calling-Station-Id: the client's outer address. */
      readonly callingStation: string;
    }
  /** Terminate in order (LCP Terminate-Request), then ask l2tp for `call.disconnect`. */
  | { readonly type: 'link.close'; readonly call: number; readonly reason: EndReason }
  /** The call is gone: nothing can be sent any more. */
  | { readonly type: 'link.stop'; readonly call: number; readonly reason: EndReason };

/** ppp -> aaa: which authentication methods the local policy can verify at all, best first. */
export interface OfferQuestion {
  readonly session: SessionId;
}
export interface OfferAnswer {
  readonly methods: readonly AuthMethod[];
}
export type AuthMethod = 'ms-chap-v2' | 'chap-md5' | 'pap';

/** ppp -> aaa. Octet strings are as on the wire. */
export interface AuthQuestion {
  readonly id: string;
  readonly session: SessionId;
  readonly callingStation: string;
  readonly user: string;
  readonly proof: /**
   * The password, sealed for aaa under the cluster key at `papPasswordPlace(session)` of @culvert/crypto
   * (it must not be readable in a fact).
   */
    | { readonly method: 'pap'; readonly sealedPassword: Uint8Array }
    | {
        readonly method: 'chap-md5';
        readonly identifier: number;
        readonly challenge: Uint8Array;
        readonly response: Uint8Array;
      }
    | {
        readonly method: 'ms-chap-v2';
        readonly authenticatorChallenge: Uint8Array;
        readonly peerChallenge: Uint8Array;
        readonly ntResponse: Uint8Array;
      };
}

export type AuthRefusal =
  | 'unknown-user'
  | 'wrong-password'
  | 'method-not-allowed'
  | 'disabled'
  | 'locked-out'
  | 'unavailable';

export type AuthAnswer =
  | {
      readonly accepted: true;
      readonly user: string;
      /** RFC 2759 §5: `S=` and 40 hexadecimal digits, for the MS-CHAPv2 Success packet. */
      readonly authenticatorResponse?: string;
      readonly policy: SessionPolicy;
    }
  | { readonly accepted: false; readonly reason: AuthRefusal };

/** What an authenticated user may have. */
export interface SessionPolicy {
  readonly staticIpv4?: string;
  readonly sessionTimeoutMs?: number;
}

/** ppp -> aaa: a lease is idempotent by session: asking again gives the same addresses. */
export interface LeaseQuestion {
  readonly id: string;
  readonly session: SessionId;
  readonly call: number;
  readonly user: string;
  readonly wanted?: string;
  readonly families: readonly (4 | 6)[];
}
export type LeaseAnswer =
  | {
      readonly leased: true;
      readonly ipv4?: { readonly address: string; readonly gateway: string };
      readonly ipv6?: { readonly prefix: string; readonly prefixLength: 64 };
    }
  | { readonly leased: false; readonly reason: 'exhausted' | 'unavailable' };

export interface LeaseRelease {
  readonly id: string;
  readonly session: SessionId;
  readonly call: number;
}
