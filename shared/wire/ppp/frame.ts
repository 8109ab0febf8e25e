import { viewOf } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';
import { protocols } from './protocols.ts';

const ALL_STATIONS = 0xff;
const UNNUMBERED_INFORMATION = 0x03;

/** A PPP frame as L2TP carries it: without flags, stuffing and FCS (RFC 2661 §1). */
export interface Frame {
  readonly protocol: number;
  /** A view of the datagram, padding included: only the protocol inside knows its own length. */
  readonly information: Uint8Array;
}

/** What the receiver of a frame has agreed to in LCP. */
export interface FrameCompression {
  /** Protocol-Field-Compression, RFC 1661 §6.5. */
  readonly pfc: boolean;
  /** Address-and-Control-Field-Compression, RFC 1661 §6.6. */
  readonly acfc: boolean;
}

export const UNCOMPRESSED: FrameCompression = { pfc: false, acfc: false };

/**
 * Takes every form a peer may send, negotiated or not. FF 03 is told from a compressed Protocol field by
 * RFC 1661 §6.6: 0xff is never assigned. An even low octet is not refused here: RFC 1661 §2 has such a
 * frame treated as one with an unrecognised Protocol.
 */
export function parseFrame(octets: Uint8Array): Parsed<Frame> {
  const start = octets[0] === ALL_STATIONS && octets[1] === UNNUMBERED_INFORMATION ? 2 : 0;
  const first = octets[start];
  if (first === undefined) return malformed('truncated', start);
  if ((first & 1) === 1) return parsed({ protocol: first, information: octets.subarray(start + 1) });
  const second = octets[start + 1];
  if (second === undefined) return malformed('truncated', start + 1);
  return parsed({ protocol: (first << 8) | second, information: octets.subarray(start + 2) });
}

/** Octets that `emitFrame` will write. */
export function frameLength(frame: Frame, agreed: FrameCompression): number {
  return headerLength(frame.protocol, agreed) + frame.information.length;
}

export function emitFrame(
  frame: Frame,
  into: Uint8Array,
  offset: number,
  agreed: FrameCompression = UNCOMPRESSED,
): number {
  const view = viewOf(into);
  let at = offset;
  if (!compressesAddress(frame.protocol, agreed)) {
    view.setUint8(at, ALL_STATIONS);
    view.setUint8(at + 1, UNNUMBERED_INFORMATION);
    at += 2;
  }
  if (compressesProtocol(frame.protocol, agreed)) {
    view.setUint8(at, frame.protocol);
    at += 1;
  } else {
    view.setUint16(at, frame.protocol);
    at += 2;
  }
  into.set(frame.information, at);
  return at + frame.information.length;
}

/** The form that crosses the bus: the two-octet Protocol field, then the Information field. */
export function bareFrame(frame: Frame): Uint8Array {
  const octets = new Uint8Array(2 + frame.information.length);
  viewOf(octets).setUint16(0, frame.protocol);
  octets.set(frame.information, 2);
  return octets;
}

function headerLength(protocol: number, agreed: FrameCompression): number {
  return (compressesAddress(protocol, agreed) ? 0 : 2) + (compressesProtocol(protocol, agreed) ? 1 : 2);
}

/** RFC 1661 §6.6: never for LCP. */
function compressesAddress(protocol: number, agreed: FrameCompression): boolean {
  return agreed.acfc && protocol !== protocols.lcp;
}

/** RFC 1661 §6.5: only numbers below 256 have a one-octet form, so LCP never has. */
function compressesProtocol(protocol: number, agreed: FrameCompression): boolean {
  return agreed.pfc && protocol <= 0xff && (protocol & 1) === 1 && protocol !== ALL_STATIONS;
}
