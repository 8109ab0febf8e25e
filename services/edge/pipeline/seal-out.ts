import type { Instant } from '@culvert/kernel';
import {
  emitUdpHeader,
  fillUdpChecksum,
  IPV4_INSIDE,
  IPV6_INSIDE,
  ipv4Octets,
  isIpv4,
  UDP,
  UDP_HEADER_OCTETS,
} from '@culvert/wire/ip';
import { payloadRoom, sealEsp } from '../esp/index.ts';
import * as limits from './limits.ts';
import type { CallRow, Outgoing, SaRow, SessionRow } from './rows.ts';
import { selects } from './selectors.ts';
import { addSequences, takeSequence } from './sequence-out.ts';
import { drop, type EngineState } from './state.ts';
import type { UserPacket } from './user-packet.ts';

/**
 * The SA that carries outbound traffic: of those that may, the newest that the peer was seen to use, for it
 * may not have installed a newer one yet; before any was seen, the newest.
 */
export function outboundSa(session: SessionRow, at: Instant, may: (sa: SaRow) => boolean): SaRow | undefined {
  const usable = session.sas.filter((sa) => sa.entry.expiresAt > at && may(sa));
  return usable.find((sa) => sa.seen) ?? usable[0];
}

/** L2TP never runs in a tunnel-mode SA, and nothing else in any other. */
export const inTransportMode = (sa: SaRow): boolean => sa.tunnel === undefined;
export const inTunnelMode = (sa: SaRow): boolean => sa.tunnel !== undefined;

const IPV4_OCTETS = 20;
const IPV6_OCTETS = 40;
/** L2TP data header with Length, Ns and Nr; PPP address, control and protocol. */
const L2TP_OCTETS = 8;
const SEQUENCE_OCTETS = 4;
const PPP_OCTETS = 4;

/** The longest inner packet that needs no outer fragmentation; without a call, in tunnel mode. */
export function innerRoom(sa: SaRow, call: CallRow | undefined, outerMtu: number): number {
  const ip = isIpv4(sa.endpoint.remote) ? IPV4_OCTETS : IPV6_OCTETS;
  const udp = sa.entry.encapsulation === 'udp' ? UDP_HEADER_OCTETS : 0;
  const room = payloadRoom(sa.outbound, outerMtu - ip - udp);
  if (call === undefined) return room;
  const l2tp = L2TP_OCTETS + (call.entry.sequencing ? SEQUENCE_OCTETS : 0);
  return room - UDP_HEADER_OCTETS - l2tp - PPP_OCTETS;
}

/** An L2TP message on its way to the client. */
export function sendL2tp(
  state: EngineState,
  session: SessionRow,
  ports: { readonly local: number; readonly remote: number },
  message: { readonly octets: Uint8Array; readonly tos: number },
  at: Instant,
) {
  const sa = outboundSa(session, at, inTransportMode);
  if (sa === undefined) return drop(state, 'no-sa', session);
  const payload = udpDatagram(sa, ports, message.octets);
  send(state, sa, { nextHeader: UDP, payload, tos: message.tos }, at);
}

/** RFC 4301 §5.1: a user packet in the tunnel-mode SA that has it. */
export function sendTunneled(
  state: EngineState,
  session: SessionRow,
  user: UserPacket,
  tos: number,
  at: Instant,
) {
  const has = ({ tunnel }: SaRow) =>
    tunnel !== undefined && selects({ sources: tunnel.local, destinations: tunnel.remote }, user);
  const sa = outboundSa(session, at, has);
  if (sa === undefined) {
    const usable = outboundSa(session, at, inTunnelMode) !== undefined;
    return drop(state, usable ? 'selector' : 'no-sa', session);
  }
  const nextHeader = user.family === 4 ? IPV4_INSIDE : IPV6_INSIDE;
  // A copy: it may have to wait, and the tun's memory is used again.
  send(state, sa, { nextHeader, payload: user.octets.slice(), tos }, at);
}

/**
 * RFC 3948 §3.1.2: behind NAT the addresses that a checksum would cover are not those the client sees.
 * IPv4 may leave it out; IPv6 may not (RFC 8200 §8.1).
 */
function udpDatagram(
  sa: SaRow,
  ports: { readonly local: number; readonly remote: number },
  message: Uint8Array,
): Uint8Array {
  const datagram = new Uint8Array(UDP_HEADER_OCTETS + message.length);
  const header = { sourcePort: ports.local, destinationPort: ports.remote };
  datagram.set(message, emitUdpHeader(header, message.length, datagram));
  const { local, remote } = sa.endpoint;
  if (!isIpv4(remote)) fillUdpChecksum(datagram, 0, datagram.length, local, remote);
  else if (sa.entry.encapsulation === 'none') {
    fillUdpChecksum(datagram, 0, datagram.length, ipv4Octets(local), ipv4Octets(remote));
  }
  return datagram;
}

/** Seals, or lets wait for numbers. */
function send(state: EngineState, sa: SaRow, outgoing: Outgoing, at: Instant) {
  const number = takeSequence(state, sa);
  if (number.ok) return seal(state, sa, number.sequence, outgoing);
  const { stalled } = sa.sequence;
  const waits = number.fault === 'sequence-stalled' && stalled.length < limits.STALLED_PACKETS_MAX;
  if (waits) stalled.push({ outgoing, at });
  else drop(state, number.fault, sa.session);
}

function seal(state: EngineState, sa: SaRow, sequence: number, { nextHeader, payload, tos }: Outgoing) {
  const input = { spi: sa.entry.outboundSpi, sequence, nextHeader, payload };
  const packet = sealEsp(sa.outbound, input, state.ivs);
  state.espOut += 1;
  sa.session.touched = true;
  state.sink.outer(sa.endpoint, sa.entry.encapsulation, packet, tos);
}

/** What has waited for numbers leaves, as far as they reach. */
export function grantSequence(state: EngineState, sa: SaRow, first: number, end: number, at: Instant) {
  if (!addSequences(sa, first, end)) return;
  for (const waiting of sa.sequence.stalled.splice(0)) {
    if (at - waiting.at > limits.STALLED_MS_MAX) {
      drop(state, 'sequence-stalled', sa.session);
      continue;
    }
    const number = takeSequence(state, sa);
    if (number.ok) seal(state, sa, number.sequence, waiting.outgoing);
    else drop(state, number.fault, sa.session);
  }
}
