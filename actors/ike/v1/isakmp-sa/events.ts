import type { Stamped } from '@culvert/kernel';
import type { NatTNumbers, Payload } from '@culvert/wire/ike';
import type { Path } from '../path.ts';
import type { Phase1Selection } from '../proposal/phase-1.ts';
import type { Refusal } from '../proposal/refusal.ts';

/** Digest of the message that an answer answers: a duplicate is known by it. */
export type RequestDigest = string;

export interface Identity {
  readonly idType: number;
  /** For logs and comparison: address, name or hexadecimal digits, always printable. */
  readonly text: string;
}

/** RFC 3947 §3.2: what the peer's NAT-D hashes say, compared by the service. */
export interface NatVerdict {
  readonly numbers: NatTNumbers;
  /** The hash of our address matched: we are not behind a NAT. */
  readonly localMatches: boolean;
  /** One of the hashes of the peer's address matched: it is not behind a NAT. */
  readonly remoteMatches: boolean;
}

/** Facts of RFC 2409 §5.4 (Main Mode with a pre-shared key), `+` acceptable and `-` not. */
export type IsakmpSaHappening =
  | {
      readonly type: 'SA+';
      readonly request: RequestDigest;
      readonly path: Path;
      readonly selection: Phase1Selection;
      readonly saBody: Uint8Array;
      /** Names of the known Vendor IDs offered. */
      readonly vendors: readonly string[];
      readonly client: string;
      /** Misreport our own address in NAT-D so that the peer encapsulates. */
      readonly forceEncapsulation: boolean;
      readonly fragmentation: boolean;
    }
  | {
      readonly type: 'SA-';
      readonly request: RequestDigest;
      readonly path: Path;
      readonly refusal: Refusal;
      readonly notifyType: number;
    }
  | {
      readonly type: 'KE';
      readonly request: RequestDigest;
      readonly path: Path;
      readonly publicValue: Uint8Array;
      readonly nonce: Uint8Array;
      readonly nat?: NatVerdict | undefined;
    }
  | { readonly type: 'DH+'; readonly publicValue: Uint8Array }
  | { readonly type: 'DH-'; readonly reason: string }
  | {
      readonly type: 'AUTH+';
      readonly request: RequestDigest;
      readonly path: Path;
      readonly identity: Identity;
      /** Name of the pre-shared key that verified HASH_I. */
      readonly psk: string;
      readonly initialContact: boolean;
    }
  | { readonly type: 'AUTH-'; readonly path: Path; readonly candidates: readonly string[] }
  /** The session that the SA belongs to is settled (charter 6). */
  | { readonly type: 'ADMITTED' }
  | { readonly type: 'DUPLICATE'; readonly messageId: number; readonly path: Path }
  /** An authenticated message came from another address or port. */
  | { readonly type: 'MOVED'; readonly path: Path }
  /** A Quick Mode under this SA was refused. */
  | {
      readonly type: 'QM-';
      readonly path: Path;
      readonly refusal: Refusal;
      readonly notifyType: number;
      readonly messageId: number;
      readonly spi: Uint8Array;
    }
  | { readonly type: 'SEND'; readonly payloads: readonly Payload[] }
  | { readonly type: 'INITIAL-CONTACT' }
  /** The peer's Delete for this SA. */
  | { readonly type: 'DELETED' }
  | { readonly type: 'CLOSE' }
  /** The peer has lost its state: leave without a word. */
  | { readonly type: 'DROP' }
  /** RFC 3706 §5.4: no answer. */
  | { readonly type: 'DEAD' }
  | { readonly type: 'HALF-OPEN' }
  | { readonly type: 'LIFETIME' };

export type IsakmpSaEvent = IsakmpSaHappening & Stamped;
