import { concat } from '../../octets.ts';
import { malformed, type Parsed, parsed } from '../../parsed.ts';
import { ID_TYPE } from '../registry-phase-2.ts';
import type { NatTNumbers } from './nat-d.ts';

/** RFC 3947 §5.2: an address as its owner sees it; the address family follows from its length. */
export interface NatOaPayload {
  readonly kind: 'NAT-OA';
  readonly numbers: NatTNumbers;
  /** 4 or 16 octets. */
  readonly address: Uint8Array;
}

export function parseNatOa(numbers: NatTNumbers, body: Uint8Array, at: number): Parsed<NatOaPayload> {
  if (body.length < 4) return malformed('truncated', at);
  const octets = body[0] === ID_TYPE.ID_IPV4_ADDR ? 4 : body[0] === ID_TYPE.ID_IPV6_ADDR ? 16 : undefined;
  if (octets === undefined) return malformed('bad-value', at);
  if (body.length !== 4 + octets) return malformed('bad-length', at + 4);
  return parsed({ kind: 'NAT-OA', numbers, address: body.subarray(4) });
}

export function emitNatOa(payload: NatOaPayload): Uint8Array {
  const idType = payload.address.length === 4 ? ID_TYPE.ID_IPV4_ADDR : ID_TYPE.ID_IPV6_ADDR;
  return concat(Uint8Array.of(idType, 0, 0, 0), payload.address);
}
