import { viewOf } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';

/** RFC 2661 §3.1, bits of the first two octets. Reserved bits are sent as zero and ignored on receipt. */
const TYPE = 0x8000;
const LENGTH = 0x4000;
const SEQUENCE = 0x0800;
const OFFSET = 0x0200;
const PRIORITY = 0x0100;
const VERSION = 0x000f;
const VERSION_2 = 2;

export const CONTROL_HEADER_OCTETS = 12;

/** RFC 2661 §3.1. The identifiers are the recipient's; zero where it has not assigned one yet. */
export interface ControlHeader {
  readonly tunnelId: number;
  readonly sessionId: number;
  readonly ns: number;
  readonly nr: number;
}

/** A data message carries one PPP frame, from its address and control fields on. */
export interface DataHeader {
  readonly tunnelId: number;
  readonly sessionId: number;
  readonly priority: boolean;
  /** Present when the S bit is set; the Nr beside it is reserved (§3.1). */
  readonly ns?: number;
}

/** Whether the T bit is set; undefined when there is no L2TPv2 header here at all (L2F has version 1). */
export function isControl(octets: Uint8Array): boolean | undefined {
  if (octets.length < 2) return undefined;
  const flags = viewOf(octets).getUint16(0);
  return (flags & VERSION) === VERSION_2 ? (flags & TYPE) !== 0 : undefined;
}

/** `avps` is a view of the datagram and ends where the Length field says. */
export function parseControlHeader(
  octets: Uint8Array,
): Parsed<{ readonly header: ControlHeader; readonly avps: Uint8Array }> {
  if (octets.length < CONTROL_HEADER_OCTETS) return malformed('truncated', octets.length);
  const view = viewOf(octets);
  const flags = view.getUint16(0);
  if ((flags & VERSION) !== VERSION_2) return malformed('bad-version', 1);
  // §3.1: a control message has Length, Ns and Nr, and neither Offset nor Priority.
  const required = TYPE | LENGTH | SEQUENCE;
  if ((flags & (required | OFFSET | PRIORITY)) !== required) return malformed('bad-flags', 0);
  const length = view.getUint16(2);
  if (length < CONTROL_HEADER_OCTETS || length > octets.length) return malformed('bad-length', 2);
  return parsed({
    header: {
      tunnelId: view.getUint16(4),
      sessionId: view.getUint16(6),
      ns: view.getUint16(8),
      nr: view.getUint16(10),
    },
    avps: octets.subarray(CONTROL_HEADER_OCTETS, length),
  });
}

/** `length` is that of the whole message; the answer is where its AVPs start. */
export function emitControlHeader(
  header: ControlHeader,
  length: number,
  into: Uint8Array,
  offset = 0,
): number {
  const view = viewOf(into);
  view.setUint16(offset, TYPE | LENGTH | SEQUENCE | VERSION_2);
  view.setUint16(offset + 2, length);
  view.setUint16(offset + 4, header.tunnelId);
  view.setUint16(offset + 6, header.sessionId);
  view.setUint16(offset + 8, header.ns);
  view.setUint16(offset + 10, header.nr);
  return offset + CONTROL_HEADER_OCTETS;
}

/** `payload` is a view of the datagram. */
export function parseDataHeader(
  octets: Uint8Array,
): Parsed<{ readonly header: DataHeader; readonly payload: Uint8Array }> {
  if (octets.length < 6) return malformed('truncated', octets.length);
  const view = viewOf(octets);
  const flags = view.getUint16(0);
  if ((flags & VERSION) !== VERSION_2) return malformed('bad-version', 1);
  if ((flags & TYPE) !== 0) return malformed('bad-flags', 0);
  const needed = dataHeaderOctets(flags);
  if (octets.length < needed) return malformed('truncated', octets.length);
  let at = 2;
  let end = octets.length;
  if ((flags & LENGTH) !== 0) {
    end = view.getUint16(at);
    if (end < needed || end > octets.length) return malformed('bad-length', at);
    at += 2;
  }
  const identifiers = { tunnelId: view.getUint16(at), sessionId: view.getUint16(at + 2) };
  at += 4;
  const sequence = (flags & SEQUENCE) !== 0 ? { ns: view.getUint16(at) } : {};
  if ((flags & SEQUENCE) !== 0) at += 4;
  if ((flags & OFFSET) !== 0) {
    // §3.1: the header ends after the last octet of the padding.
    const padding = view.getUint16(at);
    if (at + 2 + padding > end) return malformed('bad-length', at);
    at += 2 + padding;
  }
  const header = { ...identifiers, ...sequence, priority: (flags & PRIORITY) !== 0 };
  return parsed({ header, payload: octets.subarray(at, end) });
}

/** A whole data message, with the Length field and without Offset. */
export function emitData(header: DataHeader, payload: Uint8Array): Uint8Array {
  const sequenced = header.ns !== undefined;
  const flags = LENGTH | (sequenced ? SEQUENCE : 0) | (header.priority ? PRIORITY : 0) | VERSION_2;
  const start = dataHeaderOctets(flags);
  const octets = new Uint8Array(start + payload.length);
  const view = viewOf(octets);
  view.setUint16(0, flags);
  view.setUint16(2, octets.length);
  view.setUint16(4, header.tunnelId);
  view.setUint16(6, header.sessionId);
  if (header.ns !== undefined) view.setUint16(8, header.ns);
  octets.set(payload, start);
  return octets;
}

function dataHeaderOctets(flags: number): number {
  return (
    6 +
    ((flags & LENGTH) !== 0 ? 2 : 0) +
    ((flags & SEQUENCE) !== 0 ? 4 : 0) +
    ((flags & OFFSET) !== 0 ? 2 : 0)
  );
}
