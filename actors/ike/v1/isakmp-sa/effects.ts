import type { Delivery } from '@culvert/kernel';
import type { NatTNumbers, Payload } from '@culvert/wire/ike';
import type { Path } from '../path.ts';
import type { Phase1Suite } from '../proposal/phase-1.ts';
import type { Report } from '../report.ts';
import type { Identity, RequestDigest } from './events.ts';

/** Octets for the peer under this ISAKMP SA. The service adds headers, HASH payloads and encryption. */
interface ToPeer {
  /** Our cookie, in hexadecimal: the handle of the SA's keys. */
  readonly isakmpSa: string;
  readonly path: Path;
}

/** RFC 2409 §5.4 `<-- HDR, SA`. From here on the service keeps what the keys will be made of. */
export interface SendMm2 extends ToPeer {
  readonly type: 'mm2.send';
  readonly request: RequestDigest;
  readonly initiatorCookie: string;
  readonly payloads: readonly Payload[];
  readonly suite: Phase1Suite;
  /** SAi_b. */
  readonly saBody: Uint8Array;
}

/** `<-- HDR, KE, Nr`; the service appends NAT-D, whose hashes it computes, and derives SKEYID candidates. */
export interface SendMm4 extends ToPeer {
  readonly type: 'mm4.send';
  readonly request: RequestDigest;
  readonly payloads: readonly Payload[];
  readonly publicI: Uint8Array;
  readonly publicR: Uint8Array;
  readonly nonceI: Uint8Array;
  readonly nonceR: Uint8Array;
  readonly natD?: { readonly numbers: NatTNumbers; readonly misreport: boolean } | undefined;
}

/** `<-- HDR*, IDir, HASH_R`; both payloads are made by the service, which knows our identity. */
export interface SendMm6 extends ToPeer {
  readonly type: 'mm6.send';
  readonly request: RequestDigest;
}

/** RFC 2409 §5.7: an Informational exchange of its own, protected by HASH(1). */
export interface SendInformational extends ToPeer {
  readonly type: 'informational.send';
  readonly messageId: number;
  readonly payloads: readonly Payload[];
}

/** A refusal before there are keys; it answers `request` and is repeated for its duplicates. */
export interface SendClearNotify extends ToPeer {
  readonly type: 'notify.clear';
  readonly request: RequestDigest;
  readonly initiatorCookie: string;
  readonly messageId: number;
  readonly notifyType: number;
}

/** The stored answer once more, for a duplicate of its question. */
export interface RepeatAnswer extends ToPeer {
  readonly type: 'answer.repeat';
  readonly messageId: number;
}

export interface AgreeDh {
  readonly type: 'dh.agree';
  readonly isakmpSa: string;
  readonly group: number;
  readonly peerValue: Uint8Array;
}

/** Charter 6: join a live session, replace one, or found one. Answered by ADMITTED. */
export interface AdmitSession {
  readonly type: 'session.admit';
  readonly isakmpSa: string;
  readonly identity: Identity;
  readonly psk: string;
  readonly path: Path;
  readonly initialContact: boolean;
}

/** INITIAL-CONTACT that came after Main Mode. */
export interface ContactInitial {
  readonly type: 'contact.initial';
  readonly isakmpSa: string;
  readonly identity: Identity;
  readonly psk: string;
}

export type IsakmpSaEffect =
  | SendMm2
  | SendMm4
  | SendMm6
  | SendInformational
  | SendClearNotify
  | RepeatAnswer
  | AgreeDh
  | AdmitSession
  | ContactInitial
  | Report
  | Delivery;
