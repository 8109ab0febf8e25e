import { viewOf } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';
import { checksumUpdated } from './checksum.ts';

export const TCP_HEADER_OCTETS = 20;
const SYN = 0x02;
const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_MSS = 2;
const CHECKSUM_OFFSET = 16;

/** What MSS clamping needs of RFC 9293 §3.1. */
export interface TcpView {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly syn: boolean;
  /** Where the MSS value (16 bits) stands in the segment, if the option is there and whole. */
  readonly mssOffset?: number;
}

export function parseTcp(segment: Uint8Array): Parsed<TcpView> {
  if (segment.length < TCP_HEADER_OCTETS) return malformed('truncated', segment.length);
  const view = viewOf(segment);
  const headerLength = (view.getUint8(12) >>> 4) * 4;
  if (headerLength < TCP_HEADER_OCTETS || headerLength > segment.length) return malformed('bad-length', 12);
  const mssOffset = findMss(segment, headerLength);
  return parsed({
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    syn: (view.getUint8(13) & SYN) !== 0,
    ...(mssOffset !== undefined && { mssOffset }),
  });
}

/** RFC 9293 §3.2; a list that lies about its lengths has no MSS for us. */
function findMss(segment: Uint8Array, headerLength: number): number | undefined {
  let offset = TCP_HEADER_OCTETS;
  while (offset < headerLength) {
    const kind = segment[offset] ?? 0;
    if (kind === OPTION_END) return undefined;
    if (kind === OPTION_NOP) {
      offset += 1;
      continue;
    }
    const length = segment[offset + 1] ?? 0;
    if (length < 2 || offset + length > headerLength) return undefined;
    if (kind === OPTION_MSS) return length === 4 ? offset + 2 : undefined;
    offset += length;
  }
  return undefined;
}

/** Lowers the MSS of a SYN segment in place, checksum by RFC 1624; answers whether it changed. */
export function clampMss(segment: Uint8Array, limit: number): boolean {
  const tcp = parseTcp(segment);
  if (!tcp.ok || !tcp.value.syn || tcp.value.mssOffset === undefined) return false;
  const at = tcp.value.mssOffset;
  const view = viewOf(segment);
  if (view.getUint16(at) <= limit) return false;
  // The value may stand at an odd offset: then it spans two checksum words.
  const from = at & ~1;
  const to = (at + 3) & ~1;
  const before: number[] = [];
  for (let word = from; word < to; word += 2) before.push(view.getUint16(word));
  view.setUint16(at, limit);
  let checksum = view.getUint16(CHECKSUM_OFFSET);
  for (const [index, old] of before.entries()) {
    checksum = checksumUpdated(checksum, old, view.getUint16(from + index * 2));
  }
  view.setUint16(CHECKSUM_OFFSET, checksum);
  return true;
}
