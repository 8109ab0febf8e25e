import type { Verdict } from './auth/events.ts';
import type { AuthMethod } from './auth/proof.ts';
import type { Lease } from './link/events.ts';
import type { EndReason } from './link/reasons.ts';
import type { PppSettings } from './link/settings.ts';

/** What may happen to the PPP links of a session; `call` is our L2TP Session ID. */
export type PppBody =
  | {
      readonly type: 'link.start';
      readonly call: number;
      readonly callingStation: string;
      readonly settings: PppSettings;
    }
  | { readonly type: 'link.close' | 'link.stop'; readonly call: number; readonly reason: EndReason }
  /** Never PAP: its password may not be in a fact. */
  | {
      readonly type: 'frame';
      readonly call: number;
      readonly protocol: number;
      readonly information: Uint8Array;
    }
  | {
      readonly type: 'pap.request';
      readonly call: number;
      readonly identifier: number;
      readonly peerId: Uint8Array;
      readonly sealedPassword: Uint8Array;
    }
  | { readonly type: 'offered'; readonly call: number; readonly methods: readonly AuthMethod[] }
  | { readonly type: 'verified'; readonly call: number; readonly attempt: number; readonly verdict: Verdict }
  | { readonly type: 'leased'; readonly call: number; readonly lease: Lease }
  | { readonly type: 'unleased'; readonly call: number; readonly reason: string };
