import { malformed, type Parsed, parsed } from '../../parsed.ts';

/** Payloads whose body is one octet string: RFC 2408 §3.7 KE, §3.11 HASH, §3.12 SIG, §3.13 NONCE, §3.16 VID. */
export type OctetsKind = 'KE' | 'HASH' | 'SIG' | 'NONCE' | 'VID';

export interface OctetsPayload<K extends OctetsKind = OctetsKind> {
  readonly kind: K;
  readonly data: Uint8Array;
}

export type KePayload = OctetsPayload<'KE'>;
export type HashPayload = OctetsPayload<'HASH'>;
export type SigPayload = OctetsPayload<'SIG'>;
export type NoncePayload = OctetsPayload<'NONCE'>;
export type VendorIdPayload = OctetsPayload<'VID'>;

/** Octets of the body, inclusive. RFC 2409 §5 bounds a nonce; the rest is bounded by what the RFCs can send. */
const BOUNDS: Readonly<Record<OctetsKind, readonly [number, number]>> = {
  KE: [1, 1024],
  HASH: [1, 64],
  SIG: [1, 2048],
  NONCE: [8, 256],
  VID: [1, 1024],
};

export function parseOctets<K extends OctetsKind>(
  kind: K,
  body: Uint8Array,
  at: number,
): Parsed<OctetsPayload<K>> {
  const [least, most] = BOUNDS[kind];
  if (body.length < least || body.length > most) return malformed('bad-length', at);
  return parsed({ kind, data: body });
}

export function emitOctets(payload: OctetsPayload): Uint8Array {
  return payload.data;
}
