import { viewOf } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';

export const ISAKMP_HEADER_OCTETS = 28;
export const COOKIE_OCTETS = 8;

/** RFC 2408 §3.1. `length` counts header and payloads, after encryption. */
export interface IsakmpHeader {
  readonly initiatorCookie: Uint8Array;
  readonly responderCookie: Uint8Array;
  readonly nextPayload: number;
  readonly majorVersion: number;
  readonly minorVersion: number;
  readonly exchange: number;
  readonly flags: number;
  readonly messageId: number;
  readonly length: number;
}

/**
 * The header of a datagram. Any version is parsed, since the length of an IKEv2 header is the same: the
 * caller looks at `majorVersion` before anything behind the header.
 */
export function parseIsakmpHeader(octets: Uint8Array): Parsed<IsakmpHeader> {
  if (octets.length < ISAKMP_HEADER_OCTETS) return malformed('truncated', octets.length);
  const view = viewOf(octets);
  const length = view.getUint32(24);
  if (length < ISAKMP_HEADER_OCTETS || length > octets.length) return malformed('bad-length', 24);
  if (length < octets.length) return malformed('trailing-octets', length);
  const version = view.getUint8(17);
  return parsed({
    initiatorCookie: octets.subarray(0, 8),
    responderCookie: octets.subarray(8, 16),
    nextPayload: view.getUint8(16),
    majorVersion: version >>> 4,
    minorVersion: version & 0x0f,
    exchange: view.getUint8(18),
    flags: view.getUint8(19),
    messageId: view.getUint32(20),
    length,
  });
}

export function emitIsakmpHeader(header: IsakmpHeader, into: Uint8Array, offset = 0): number {
  const view = viewOf(into);
  into.set(header.initiatorCookie, offset);
  into.set(header.responderCookie, offset + 8);
  view.setUint8(offset + 16, header.nextPayload);
  view.setUint8(offset + 17, (header.majorVersion << 4) | header.minorVersion);
  view.setUint8(offset + 18, header.exchange);
  view.setUint8(offset + 19, header.flags);
  view.setUint32(offset + 20, header.messageId);
  view.setUint32(offset + 24, header.length);
  return offset + ISAKMP_HEADER_OCTETS;
}

/** RFC 2408 §2.5.3: the first message of an exchange carries a responder cookie of zero. */
export function isZeroCookie(cookie: Uint8Array): boolean {
  return cookie.every((octet) => octet === 0);
}
