import { malformed, type Parsed, parsed } from '../../parsed.ts';

/** Which payload number the peers agreed on: RFC 3947 §8 or the drafts' private one. */
export type NatTNumbers = 'rfc3947' | 'draft';

/** RFC 3947 §3.2: HASH(CKY-I | CKY-R | IP | Port) under the negotiated hash. */
export interface NatDPayload {
  readonly kind: 'NAT-D';
  readonly numbers: NatTNumbers;
  readonly hash: Uint8Array;
}

export function parseNatD(numbers: NatTNumbers, body: Uint8Array, at: number): Parsed<NatDPayload> {
  if (body.length < 16 || body.length > 64) return malformed('bad-length', at);
  return parsed({ kind: 'NAT-D', numbers, hash: body });
}

export function emitNatD(payload: NatDPayload): Uint8Array {
  return payload.hash;
}
