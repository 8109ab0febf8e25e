import type { Delivery } from '@culvert/kernel';
import type { Proof } from './auth/proof.ts';
import type { EndReason } from './link/reasons.ts';

/** What the machines of a PPP link ask their service for. */
export type PppEffect =
  /** A PPP frame to the peer: Protocol and Information fields. */
  | {
      readonly type: 'frame.send';
      readonly call: number;
      readonly protocol: number;
      readonly information: Uint8Array;
    }
  /** LCP listens now: a frame that came before the link was there may be handed in again. */
  | { readonly type: 'early.take'; readonly call: number }
  /** Which methods can be verified at all; answered by `offered`. */
  | { readonly type: 'aaa.offer'; readonly call: number }
  /** Answered by `verified` with the same `attempt`. */
  | {
      readonly type: 'aaa.authenticate';
      readonly call: number;
      readonly attempt: number;
      readonly callingStation: string;
      readonly user: string;
      readonly proof: Proof;
    }
  /** Answered by `leased`. */
  | {
      readonly type: 'aaa.lease';
      readonly call: number;
      readonly user: string;
      readonly wanted?: string;
      readonly families: readonly (4 | 6)[];
    }
  | { readonly type: 'aaa.release'; readonly call: number }
  | {
      readonly type: 'call.disconnect';
      readonly call: number;
      readonly reason: EndReason;
      readonly advice: string;
    }
  /** One line for the operator; `debug` where the service that refused has written it. */
  | {
      readonly type: 'explain';
      readonly level: 'debug' | 'info' | 'warn';
      readonly call: number;
      readonly note: Note;
    };

/** What is told to the operator: a sentence, and fields that hold no secret. */
export interface Note {
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

export type Emitted = PppEffect | Delivery;
