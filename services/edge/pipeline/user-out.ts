import type { Instant } from '@culvert/kernel';
import {
  clampMss,
  emitFragmentationNeeded,
  emitPacketTooBig,
  fragmentIpv4,
  ICMP,
  ICMPV6,
  IPV6_MTU_MIN,
  type Ipv4Packet,
  type Ipv6Packet,
  isIcmp4Error,
  isIcmp6Error,
  parseIpv4,
  parseIpv6,
  TCP,
} from '@culvert/wire/ip';
import { emitData } from '@culvert/wire/l2tp';
import { emitFrame, type Frame, type FrameCompression, frameLength, protocols } from '@culvert/wire/ppp';
import * as limits from './limits.ts';
import { routeOf } from './routes.ts';
import type { CallRow, LinkRow } from './rows.ts';
import { innerRoom, outboundSa, sendL2tp } from './seal-out.ts';
import { drop, type EngineState } from './state.ts';
import { take } from './token-bucket.ts';

/** The least of what both ends of the link take and what fits the outer path unfragmented. */
export function pathMtu(state: EngineState, link: LinkRow, at: Instant): number {
  const agreed = Math.min(link.entry.mtuToPeer, link.entry.mruFromPeer);
  const sa = outboundSa(link.call.session, at);
  return sa === undefined ? agreed : Math.min(agreed, innerRoom(sa, link.call, state.policy.outerMtu));
}

/** A packet from the tun, towards its client. False when no link of this engine has the address. */
export function tunIn(state: EngineState, octets: Uint8Array, at: Instant): boolean {
  const link = routeOf(state.tables, octets);
  if (link === undefined) return false;
  if ((octets[0] ?? 0) >>> 4 === 4) ipv4Out(state, link, octets, at);
  else ipv6Out(state, link, octets, at);
  return true;
}

function ipv4Out(state: EngineState, link: LinkRow, octets: Uint8Array, at: Instant) {
  const read = parseIpv4(octets);
  if (!read.ok) return drop(state, 'tun-malformed', link.call.session);
  const packet = read.value;
  const whole = octets.subarray(0, packet.totalLength);
  const mtu = pathMtu(state, link, at);
  if (packet.protocol === TCP && packet.fragmentOffset === 0)
    clampMss(packet.payload, mtu - limits.IPV4_TCP_OCTETS);
  if (packet.dontFragment && packet.totalLength > mtu) return tooBig4(state, link, packet, whole, mtu, at);
  // Without DF an outer fragment is better than an inner one, but the peer's MRU is a bound.
  if (packet.totalLength <= link.entry.mtuToPeer) return sendUser(state, link, protocols.ipv4, whole, at);
  for (const fragment of fragmentIpv4(packet, link.entry.mtuToPeer)) {
    sendUser(state, link, protocols.ipv4, fragment, at);
  }
}

function ipv6Out(state: EngineState, link: LinkRow, octets: Uint8Array, at: Instant) {
  const read = parseIpv6(octets);
  if (!read.ok) return drop(state, 'tun-malformed', link.call.session);
  const packet = read.value;
  const whole = octets.subarray(0, 40 + packet.payloadLength);
  // RFC 8200 §5: less than 1280 cannot be asked for; such packets are fragmented outside.
  const mtu = Math.max(IPV6_MTU_MIN, pathMtu(state, link, at));
  if (packet.protocol === TCP && (packet.fragment?.offset ?? 0) === 0) {
    clampMss(whole.subarray(packet.protocolOffset), mtu - limits.IPV6_TCP_OCTETS);
  }
  if (whole.length > mtu) return tooBig6(state, link, packet, whole, mtu, at);
  sendUser(state, link, protocols.ipv6, whole, at);
}

/**
 * RFC 1191 §4. The error goes back through the tun with the client's address as its source: one of ours
 * would be a martian on that interface.
 */
function tooBig4(
  state: EngineState,
  link: LinkRow,
  packet: Ipv4Packet,
  whole: Uint8Array,
  mtu: number,
  at: Instant,
) {
  const { session } = link.call;
  drop(state, 'too-big', session);
  if (packet.fragmentOffset > 0) return;
  if (packet.protocol === ICMP && isIcmp4Error(packet.payload)) return;
  if (!take(session.icmp, limits.ICMP_RATE, at)) return;
  state.sink.inner(emitFragmentationNeeded(whole, packet.destination, packet.source, mtu));
}

/** RFC 4443 §3.2. */
function tooBig6(
  state: EngineState,
  link: LinkRow,
  packet: Ipv6Packet,
  whole: Uint8Array,
  mtu: number,
  at: Instant,
) {
  const { session } = link.call;
  drop(state, 'too-big', session);
  if (packet.protocol === ICMPV6 && isIcmp6Error(whole.subarray(packet.protocolOffset))) return;
  if (!take(session.icmp, limits.ICMP_RATE, at)) return;
  state.sink.inner(emitPacketTooBig(whole, packet.destination, packet.source, mtu));
}

export function sendUser(
  state: EngineState,
  link: LinkRow,
  protocol: number,
  packet: Uint8Array,
  at: Instant,
) {
  const { session } = link.call;
  session.packetsOut += 1;
  session.octetsOut += packet.length;
  const agreed = { pfc: link.entry.pfcToPeer, acfc: link.entry.acfcToPeer };
  sendFrame(state, link.call, { protocol, information: packet }, agreed, at);
}

/** RFC 2661 §3.1: a PPP frame in a data message of the call. */
export function sendFrame(
  state: EngineState,
  call: CallRow,
  frame: Frame,
  agreed: FrameCompression,
  at: Instant,
) {
  const octets = new Uint8Array(frameLength(frame, agreed));
  emitFrame(frame, octets, 0, agreed);
  const { theirs, innerPorts, sequencing } = call.entry;
  const header = { tunnelId: theirs.tunnel, sessionId: theirs.call, priority: false };
  const message = emitData(sequencing ? { ...header, ns: call.nsOut } : header, octets);
  if (sequencing) call.nsOut = (call.nsOut + 1) & 0xffff;
  sendL2tp(state, call.session, innerPorts, message, at);
}
