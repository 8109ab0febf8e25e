import { viewOf } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';
import { checksumOf, pseudoHeaderSum, sumHolds, sumOf } from './checksum.ts';
import { UDP } from './protocols.ts';

export const UDP_HEADER_OCTETS = 8;

/** RFC 768. `payload` is a view. */
export interface UdpDatagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** As on the wire: 0 says that the sender made none (IPv4 only). */
  readonly checksum: number;
  readonly payload: Uint8Array;
}

/** The checksum is not looked at: inside transport-mode ESP behind NAT it cannot be right. */
export function parseUdp(octets: Uint8Array): Parsed<UdpDatagram> {
  if (octets.length < UDP_HEADER_OCTETS) return malformed('truncated', octets.length);
  const view = viewOf(octets);
  const length = view.getUint16(4);
  if (length < UDP_HEADER_OCTETS || length > octets.length) return malformed('bad-length', 4);
  return parsed({
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    checksum: view.getUint16(6),
    payload: octets.subarray(UDP_HEADER_OCTETS, length),
  });
}

/** Writes the header with checksum 0 before `payloadLength` octets; answers where they begin. */
export function emitUdpHeader(
  ports: { readonly sourcePort: number; readonly destinationPort: number },
  payloadLength: number,
  into: Uint8Array,
  offset = 0,
): number {
  const view = viewOf(into);
  view.setUint16(offset, ports.sourcePort);
  view.setUint16(offset + 2, ports.destinationPort);
  view.setUint16(offset + 4, UDP_HEADER_OCTETS + payloadLength);
  view.setUint16(offset + 6, 0);
  return offset + UDP_HEADER_OCTETS;
}

/** Fills in the checksum of the datagram at [from, to), whose checksum field is 0. */
export function fillUdpChecksum(
  into: Uint8Array,
  from: number,
  to: number,
  source: Uint8Array,
  destination: Uint8Array,
): void {
  const sum = checksumOf(sumOf(into, from, to, pseudoHeaderSum(source, destination, UDP, to - from)));
  // RFC 768: a computed zero is sent as all ones, for zero says "none".
  viewOf(into).setUint16(from + 6, sum === 0 ? 0xffff : sum);
}

export function udpChecksumHolds(datagram: Uint8Array, source: Uint8Array, destination: Uint8Array): boolean {
  const sum = pseudoHeaderSum(source, destination, UDP, datagram.length);
  return sumHolds(sumOf(datagram, 0, datagram.length, sum));
}
