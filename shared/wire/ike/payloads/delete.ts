import { be16, be32, concat, viewOf } from '../../octets.ts';
import { malformed, type Parsed, parsed } from '../../parsed.ts';
import { ISAKMP_LIMITS } from '../limits.ts';

/** RFC 2408 §3.15. All SPIs have one size: 16 octets (both cookies) for ISAKMP, 4 for ESP. */
export interface DeletePayload {
  readonly kind: 'D';
  readonly doi: number;
  readonly protocol: number;
  readonly spis: readonly Uint8Array[];
}

export function parseDelete(body: Uint8Array, at: number): Parsed<DeletePayload> {
  if (body.length < 8) return malformed('truncated', at);
  const view = viewOf(body);
  const spiOctets = view.getUint8(5);
  const count = view.getUint16(6);
  if (count > ISAKMP_LIMITS.spisPerDeleteMax) return malformed('too-many', at + 6);
  if (count > 0 && spiOctets === 0) return malformed('bad-length', at + 5);
  if (8 + spiOctets * count !== body.length) return malformed('bad-length', at + 6);
  const spis = Array.from({ length: count }, (_, index) =>
    body.subarray(8 + index * spiOctets, 8 + (index + 1) * spiOctets),
  );
  return parsed({ kind: 'D', doi: view.getUint32(0), protocol: view.getUint8(4), spis });
}

export function emitDelete(payload: DeletePayload): Uint8Array {
  const spiOctets = payload.spis[0]?.length ?? 0;
  return concat(
    be32(payload.doi),
    Uint8Array.of(payload.protocol, spiOctets),
    be16(payload.spis.length),
    ...payload.spis,
  );
}
