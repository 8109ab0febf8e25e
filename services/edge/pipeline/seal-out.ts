import type { Instant } from '@culvert/kernel';
import { emitUdpHeader, fillUdpChecksum, ipv4Octets, isIpv4, UDP, UDP_HEADER_OCTETS } from '@culvert/wire/ip';
import { payloadRoom, sealEsp } from '../esp/index.ts';
import * as limits from './limits.ts';
import type { CallRow, SaRow, SequenceBlocks, SessionRow } from './rows.ts';
import { drop, type EngineState } from './state.ts';

/**
 * The SA that carries outbound traffic: the newest that the peer was seen to use, for it may not have
 * installed a newer one yet; before any was seen, the newest.
 */
export function outboundSa(session: SessionRow, at: Instant): SaRow | undefined {
  let fallback: SaRow | undefined;
  for (const sa of session.sas) {
    if (sa.entry.expiresAt <= at) continue;
    if (sa.seen) return sa;
    fallback ??= sa;
  }
  return fallback;
}

const IPV4_OCTETS = 20;
const IPV6_OCTETS = 40;
/** L2TP data header with Length, Ns and Nr; PPP address, control and protocol. */
const L2TP_OCTETS = 8;
const SEQUENCE_OCTETS = 4;
const PPP_OCTETS = 4;

/** The longest inner packet that needs no outer fragmentation. */
export function innerRoom(sa: SaRow, call: CallRow, outerMtu: number): number {
  const ip = isIpv4(sa.endpoint.remote) ? IPV4_OCTETS : IPV6_OCTETS;
  const udp = sa.entry.encapsulation === 'udp' ? UDP_HEADER_OCTETS : 0;
  const l2tp = L2TP_OCTETS + (call.entry.sequencing ? SEQUENCE_OCTETS : 0);
  return payloadRoom(sa.outbound, outerMtu - ip - udp) - UDP_HEADER_OCTETS - l2tp - PPP_OCTETS;
}

/** An L2TP message on its way to the client. */
export function sendL2tp(
  state: EngineState,
  session: SessionRow,
  ports: { readonly local: number; readonly remote: number },
  message: Uint8Array,
  at: Instant,
) {
  const sa = outboundSa(session, at);
  if (sa === undefined) return drop(state, 'no-sa', session);
  const datagram = udpDatagram(sa, ports, message);
  const sequence = nextSequence(state, sa);
  if (sequence !== undefined) return seal(state, sa, sequence, datagram);
  if (sa.sequence.next >= limits.SEQUENCE_END) return drop(state, 'sequence-exhausted', session);
  if (sa.sequence.stalled.length >= limits.STALLED_PACKETS_MAX)
    return drop(state, 'sequence-stalled', session);
  sa.sequence.stalled.push({ datagram, at });
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

function seal(state: EngineState, sa: SaRow, sequence: number, datagram: Uint8Array) {
  const input = { spi: sa.entry.outboundSpi, sequence, nextHeader: UDP, payload: datagram };
  const packet = sealEsp(sa.outbound, input, state.ivs);
  state.espOut += 1;
  sa.session.touched = true;
  state.sink.outer(sa.endpoint, sa.entry.encapsulation, packet);
}

/** A number below the reservation's end, asking for the next block in time. */
function nextSequence(state: EngineState, sa: SaRow): number | undefined {
  const blocks = sa.sequence;
  if (blocks.next >= blocks.end && blocks.following !== undefined) {
    blocks.next = blocks.following.next;
    blocks.end = blocks.following.end;
    delete blocks.following;
  }
  if (needsMore(blocks)) wantSequence(state, sa);
  if (blocks.next >= blocks.end) return undefined;
  const sequence = blocks.next;
  blocks.next += 1;
  return sequence;
}

export function needsMore(blocks: SequenceBlocks): boolean {
  return (
    !blocks.asked &&
    blocks.following === undefined &&
    blocks.end < limits.SEQUENCE_END &&
    blocks.end - blocks.next <= limits.SEQUENCE_BLOCK / 2
  );
}

export function wantSequence(state: EngineState, sa: SaRow) {
  sa.sequence.asked = true;
  const { inboundSpi, outboundSpi } = sa.entry;
  state.sink.event({ type: 'sequence-wanted', session: sa.session.session, inboundSpi, outboundSpi });
}

/** Numbers [first, end) are ours alone: committed before they were granted. */
export function grantSequence(state: EngineState, sa: SaRow, first: number, end: number, at: Instant) {
  const blocks = sa.sequence;
  blocks.asked = false;
  const from = Math.max(first, 1, blocks.end);
  const to = Math.min(end, limits.SEQUENCE_END);
  if (from >= to) {
    blocks.next = Math.max(blocks.next, to);
    blocks.end = Math.max(blocks.end, to);
    return;
  }
  if (blocks.next >= blocks.end) {
    blocks.next = from;
    blocks.end = to;
  } else blocks.following = { next: from, end: to };
  for (const waiting of blocks.stalled.splice(0)) {
    if (at - waiting.at > limits.STALLED_MS_MAX) {
      drop(state, 'sequence-stalled', sa.session);
      continue;
    }
    const sequence = nextSequence(state, sa);
    if (sequence === undefined) drop(state, 'sequence-stalled', sa.session);
    else seal(state, sa, sequence, waiting.datagram);
  }
}
