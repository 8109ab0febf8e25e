import { concat } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';
import type { ControlPacket } from './control-packet.ts';

/** RFC 3748 §4. */
export const eapCodes = { request: 1, response: 2, success: 3, failure: 4 } as const;

/** RFC 3748 §5. */
export const eapTypes = { identity: 1, notification: 2, nak: 3, md5Challenge: 4 } as const;

/** RFC 3748 §4.1: what a Request or Response holds behind the common header. */
export interface EapBody {
  readonly type: number;
  readonly typeData: Uint8Array;
}

/** `packet` is the common header's parse; Success and Failure have no body (RFC 3748 §4.2). */
export function parseEapBody(packet: ControlPacket): Parsed<EapBody | undefined> {
  if (packet.code === eapCodes.success || packet.code === eapCodes.failure) {
    return packet.data.length === 0 ? parsed(undefined) : malformed('bad-length', 4);
  }
  if (packet.code !== eapCodes.request && packet.code !== eapCodes.response) return malformed('bad-value', 0);
  const type = packet.data[0];
  return type === undefined ? malformed('truncated', 4) : parsed({ type, typeData: packet.data.subarray(1) });
}

export function emitEapBody(body: EapBody): Uint8Array {
  return concat(Uint8Array.of(body.type), body.typeData);
}
