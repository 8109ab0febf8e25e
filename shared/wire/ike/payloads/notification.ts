import { be16, be32, concat, viewOf } from '../../octets.ts';
import { malformed, type Parsed, parsed } from '../../parsed.ts';

/** RFC 2408 §3.14. */
export interface NotificationPayload {
  readonly kind: 'N';
  readonly doi: number;
  readonly protocol: number;
  readonly notifyType: number;
  readonly spi: Uint8Array;
  readonly data: Uint8Array;
}

export function parseNotification(body: Uint8Array, at: number): Parsed<NotificationPayload> {
  if (body.length < 8) return malformed('truncated', at);
  const view = viewOf(body);
  const spiOctets = view.getUint8(5);
  if (8 + spiOctets > body.length) return malformed('bad-length', at + 5);
  return parsed({
    kind: 'N',
    doi: view.getUint32(0),
    protocol: view.getUint8(4),
    notifyType: view.getUint16(6),
    spi: body.subarray(8, 8 + spiOctets),
    data: body.subarray(8 + spiOctets),
  });
}

export function emitNotification(payload: NotificationPayload): Uint8Array {
  return concat(
    be32(payload.doi),
    Uint8Array.of(payload.protocol, payload.spi.length),
    be16(payload.notifyType),
    payload.spi,
    payload.data,
  );
}
