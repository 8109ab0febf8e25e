import type { Stamped } from '@culvert/kernel';

/** What an authenticated user may have. */
export interface UserPolicy {
  readonly staticIpv4?: string;
  readonly sessionTimeoutMs?: number;
}

/** The answer of aaa. */
export type Verdict =
  | {
      readonly accepted: true;
      readonly user: string;
      /** RFC 2759 §5, for MS-CHAPv2: `S=` and 40 hexadecimal digits. */
      readonly authenticatorResponse?: string;
      readonly policy: UserPolicy;
    }
  | { readonly accepted: false; readonly reason: string };

/** Told to the link, which then sees to addresses before the peer hears of it. */
export interface Accepted {
  readonly type: 'Accepted';
  readonly user: string;
  readonly policy: UserPolicy;
}

/** What a CHAP Response shows, by method; `reflected`: it is our own challenge coming back. */
export type ChapShown =
  | { readonly method: 'chap-md5'; readonly response: Uint8Array }
  | { readonly method: 'ms-chap-v2'; readonly peerChallenge: Uint8Array; readonly ntResponse: Uint8Array };

type AuthFact =
  | { readonly type: 'Begin' }
  /** RFC 1334 Authenticate-Request, its password sealed for aaa. */
  | {
      readonly type: 'Requested';
      readonly identifier: number;
      readonly user: string;
      readonly sealedPassword: Uint8Array;
    }
  /** RFC 1994 Response to the outstanding Challenge, or a repetition of one already judged. */
  | {
      readonly type: 'Responded';
      readonly identifier: number;
      readonly user: string;
      readonly shown: ChapShown;
      readonly reflected: boolean;
    }
  | { readonly type: 'Verified'; readonly attempt: number; readonly verdict: Verdict }
  /** From the link: the peer may be told that it is in. */
  | { readonly type: 'Admit' }
  /** From the link: a network protocol has Opened, so the peer knows that it is in. */
  | { readonly type: 'Confirmed' }
  /** Nothing shows that the peer has heard our Success. */
  | { readonly type: 'VerdictUnheard' }
  /** No Response to the Challenge in time. */
  | { readonly type: 'ChallengeExpired' }
  | { readonly type: 'Dismiss' };

export type AuthEvent = AuthFact & Partial<Stamped>;
