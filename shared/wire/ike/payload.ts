import { malformed, type Parsed, parsed } from '../parsed.ts';
import { type CertificatePayload, emitCertificate, parseCertificate } from './payloads/certificate.ts';
import { type DeletePayload, emitDelete, parseDelete } from './payloads/delete.ts';
import { emitFragment, type FragmentPayload, parseFragment } from './payloads/fragment.ts';
import { emitId, type IdPayload, parseId } from './payloads/id.ts';
import { emitNatD, type NatDPayload, parseNatD } from './payloads/nat-d.ts';
import { emitNatOa, type NatOaPayload, parseNatOa } from './payloads/nat-oa.ts';
import { emitNotification, type NotificationPayload, parseNotification } from './payloads/notification.ts';
import {
  emitOctets,
  type HashPayload,
  type KePayload,
  type NoncePayload,
  parseOctets,
  type SigPayload,
  type VendorIdPayload,
} from './payloads/octets.ts';
import { emitSa, parseSa, type SaPayload } from './payloads/sa.ts';
import { PAYLOAD } from './registry-isakmp.ts';

/** A payload of the private range (RFC 2408 §3.1) that we do not know: passed over, kept for the hash. */
export interface PrivatePayload {
  readonly kind: 'private';
  readonly type: number;
  readonly data: Uint8Array;
}

export type Payload =
  | SaPayload
  | KePayload
  | IdPayload
  | CertificatePayload<'CERT'>
  | CertificatePayload<'CR'>
  | HashPayload
  | SigPayload
  | NoncePayload
  | NotificationPayload
  | DeletePayload
  | VendorIdPayload
  | NatDPayload
  | NatOaPayload
  | FragmentPayload
  | PrivatePayload;

export type PayloadKind = Payload['kind'];
export type PayloadOf<K extends PayloadKind> = Extract<Payload, { kind: K }>;

type BodyParser = (body: Uint8Array, at: number) => Parsed<Payload>;

const PARSERS: Readonly<Record<number, BodyParser>> = {
  [PAYLOAD.SA]: parseSa,
  [PAYLOAD.KE]: (body, at) => parseOctets('KE', body, at),
  [PAYLOAD.ID]: parseId,
  [PAYLOAD.CERT]: (body, at) => parseCertificate('CERT', body, at),
  [PAYLOAD.CR]: (body, at) => parseCertificate('CR', body, at),
  [PAYLOAD.HASH]: (body, at) => parseOctets('HASH', body, at),
  [PAYLOAD.SIG]: (body, at) => parseOctets('SIG', body, at),
  [PAYLOAD.NONCE]: (body, at) => parseOctets('NONCE', body, at),
  [PAYLOAD.N]: parseNotification,
  [PAYLOAD.D]: parseDelete,
  [PAYLOAD.VID]: (body, at) => parseOctets('VID', body, at),
  [PAYLOAD['NAT-D']]: (body, at) => parseNatD('rfc3947', body, at),
  [PAYLOAD['NAT-OA']]: (body, at) => parseNatOa('rfc3947', body, at),
  [PAYLOAD['NAT-D-DRAFT']]: (body, at) => parseNatD('draft', body, at),
  [PAYLOAD['NAT-OA-DRAFT']]: (body, at) => parseNatOa('draft', body, at),
  [PAYLOAD.FRAGMENT]: parseFragment,
};

const PRIVATE_FROM = 128;

/** The body of a payload, generic header removed; `at` is the body's offset in the message. */
export function parsePayload(type: number, body: Uint8Array, at: number): Parsed<Payload> {
  const parse = PARSERS[type];
  if (parse !== undefined) return parse(body, at);
  // RFC 2408 §5.3: an unknown payload makes the message invalid; the private range is ours to pass over.
  return type >= PRIVATE_FROM ? parsed({ kind: 'private', type, data: body }) : malformed('unexpected', at);
}

/** The number that announces the payload, and its body. */
export function emitPayload(payload: Payload): { readonly type: number; readonly body: Uint8Array } {
  switch (payload.kind) {
    case 'SA':
      return { type: PAYLOAD.SA, body: emitSa(payload) };
    case 'ID':
      return { type: PAYLOAD.ID, body: emitId(payload) };
    case 'CERT':
    case 'CR':
      return { type: PAYLOAD[payload.kind], body: emitCertificate(payload) };
    case 'KE':
    case 'HASH':
    case 'SIG':
    case 'NONCE':
    case 'VID':
      return { type: PAYLOAD[payload.kind], body: emitOctets(payload) };
    case 'N':
      return { type: PAYLOAD.N, body: emitNotification(payload) };
    case 'D':
      return { type: PAYLOAD.D, body: emitDelete(payload) };
    case 'NAT-D':
      return {
        type: PAYLOAD[payload.numbers === 'draft' ? 'NAT-D-DRAFT' : 'NAT-D'],
        body: emitNatD(payload),
      };
    case 'NAT-OA':
      return {
        type: PAYLOAD[payload.numbers === 'draft' ? 'NAT-OA-DRAFT' : 'NAT-OA'],
        body: emitNatOa(payload),
      };
    case 'FRAGMENT':
      return { type: PAYLOAD.FRAGMENT, body: emitFragment(payload) };
    case 'private':
      return { type: payload.type, body: payload.data };
  }
}
