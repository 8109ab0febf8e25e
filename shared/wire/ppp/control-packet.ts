import { u16, viewOf } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';

const HEADER_OCTETS = 4;

/** RFC 1661 §5, RFC 1570 §2; RFC 1332 §2 and RFC 5072 §3 use codes 1 to 7. */
export const codes = {
  configureRequest: 1,
  configureAck: 2,
  configureNak: 3,
  configureReject: 4,
  terminateRequest: 5,
  terminateAck: 6,
  codeReject: 7,
  protocolReject: 8,
  echoRequest: 9,
  echoReply: 10,
  discardRequest: 11,
  identification: 12,
  timeRemaining: 13,
} as const;

/** The header that LCP, every NCP, PAP, CHAP and EAP share. `data` is a view of the datagram. */
export interface ControlPacket {
  readonly code: number;
  readonly identifier: number;
  readonly data: Uint8Array;
}

/** RFC 1661 §5: octets outside the range of Length are padding and ignored. */
export function parseControlPacket(octets: Uint8Array): Parsed<ControlPacket> {
  if (octets.length < HEADER_OCTETS) return malformed('truncated', octets.length);
  const view = viewOf(octets);
  const length = view.getUint16(2);
  if (length < HEADER_OCTETS || length > octets.length) return malformed('bad-length', 2);
  return parsed({
    code: view.getUint8(0),
    identifier: view.getUint8(1),
    data: octets.subarray(HEADER_OCTETS, length),
  });
}

export function emitControlPacket(packet: ControlPacket, into: Uint8Array, offset: number): number {
  const view = viewOf(into);
  view.setUint8(offset, packet.code);
  view.setUint8(offset + 1, packet.identifier);
  view.setUint16(offset + 2, controlPacketLength(packet));
  into.set(packet.data, offset + HEADER_OCTETS);
  return offset + controlPacketLength(packet);
}

export function controlPacketLength(packet: ControlPacket): number {
  return HEADER_OCTETS + packet.data.length;
}

export function controlPacketOctets(packet: ControlPacket): Uint8Array {
  const octets = new Uint8Array(controlPacketLength(packet));
  emitControlPacket(packet, octets, 0);
  return octets;
}

/** Code-Reject (RFC 1661 §5.6): the whole rejected packet, cut so that ours fits the peer's MRU. */
export function codeRejectData(rejected: ControlPacket, peerMru: number): Uint8Array {
  return controlPacketOctets(rejected).subarray(0, Math.max(0, peerMru - HEADER_OCTETS));
}

/** The code that a received Code-Reject speaks of. */
export function parseCodeReject(data: Uint8Array): Parsed<{ readonly code: number }> {
  const code = data[0];
  return code === undefined ? malformed('truncated', 0) : parsed({ code });
}

/** Protocol-Reject (RFC 1661 §5.7): the Protocol field and the Information field that was refused. */
export interface ProtocolReject {
  readonly protocol: number;
  readonly information: Uint8Array;
}

export function parseProtocolReject(data: Uint8Array): Parsed<ProtocolReject> {
  if (data.length < 2) return malformed('truncated', data.length);
  return parsed({ protocol: u16(data), information: data.subarray(2) });
}

export function emitProtocolReject(reject: ProtocolReject, peerMru: number): Uint8Array {
  const room = Math.max(0, peerMru - HEADER_OCTETS - 2);
  const information = reject.information.subarray(0, room);
  const octets = new Uint8Array(2 + information.length);
  viewOf(octets).setUint16(0, reject.protocol);
  octets.set(information, 2);
  return octets;
}
