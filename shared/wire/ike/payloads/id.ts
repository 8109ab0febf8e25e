import { be16, concat, viewOf } from '../../octets.ts';
import { malformed, type Parsed, parsed } from '../../parsed.ts';
import { ID_TYPE } from '../registry-phase-2.ts';

/** RFC 2407 §4.6.2. `ipProtocol` and `port` are 0 for any; `data` is as on the wire, judged by `idType`. */
export interface IdPayload {
  readonly kind: 'ID';
  readonly idType: number;
  readonly ipProtocol: number;
  readonly port: number;
  readonly data: Uint8Array;
}

/** Octets of those types whose length is fixed. */
const FIXED: Readonly<Record<number, number>> = {
  [ID_TYPE.ID_IPV4_ADDR]: 4,
  [ID_TYPE.ID_IPV4_ADDR_SUBNET]: 8,
  [ID_TYPE.ID_IPV4_ADDR_RANGE]: 8,
  [ID_TYPE.ID_IPV6_ADDR]: 16,
  [ID_TYPE.ID_IPV6_ADDR_SUBNET]: 32,
  [ID_TYPE.ID_IPV6_ADDR_RANGE]: 32,
};
/** Names and key IDs: longer ones are of no use to anyone, and we keep them. */
const DATA_OCTETS_MAX = 512;

export function parseId(body: Uint8Array, at: number): Parsed<IdPayload> {
  if (body.length < 4) return malformed('truncated', at);
  const view = viewOf(body);
  const idType = view.getUint8(0);
  const data = body.subarray(4);
  const fixed = FIXED[idType];
  if (fixed === undefined ? data.length > DATA_OCTETS_MAX : data.length !== fixed)
    return malformed('bad-length', at + 4);
  return parsed({ kind: 'ID', idType, ipProtocol: view.getUint8(1), port: view.getUint16(2), data });
}

export function emitId(payload: IdPayload): Uint8Array {
  return concat(Uint8Array.of(payload.idType, payload.ipProtocol), be16(payload.port), payload.data);
}
