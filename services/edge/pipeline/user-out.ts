import type { Instant } from '@culvert/kernel';
import {
  clampMss,
  emitFragmentationNeeded,
  emitPacketTooBig,
  fragmentIpv4,
  ICMP,
  ICMPV6,
  IPV6_MTU_MIN,
  isIcmp4Error,
  isIcmp6Error,
  TCP,
  trafficClassOf,
} from '@culvert/wire/ip';
import { emitData } from '@culvert/wire/l2tp';
import { emitFrame, type Frame, type FrameCompression, frameLength, protocols } from '@culvert/wire/ppp';
import { account } from './accounting.ts';
import * as limits from './limits.ts';
import { passes, permitted } from './link-policy.ts';
import { routeOf } from './routes.ts';
import type { CallRow, LinkRow } from './rows.ts';
import { innerRoom, inTransportMode, inTunnelMode, outboundSa, sendL2tp, sendTunneled } from './seal-out.ts';
import { drop, type EngineState } from './state.ts';
import { take } from './token-bucket.ts';
import { readUserPacket, type UserPacket } from './user-packet.ts';

/** The least of what both ends of the link take and what fits the outer path unfragmented. */
export function pathMtu(state: EngineState, link: LinkRow, at: Instant): number {
  const agreed = Math.min(link.entry.mtuToPeer, link.entry.mruFromPeer);
  const sa = outboundSa(link.session, at, link.call === undefined ? inTunnelMode : inTransportMode);
  return sa === undefined ? agreed : Math.min(agreed, innerRoom(sa, link.call, state.policy.outerMtu));
}

/**
 * A packet from the tun, towards its client: 1 whose, 2 what it is, 3 may the client have it, 4 does it fit,
 * 5 rate and account, 6 send. False when no link of this engine has the address.
 */
export function tunIn(state: EngineState, octets: Uint8Array, at: Instant): boolean {
  const link = routeOf(state.tables, octets);
  if (link === undefined) return false;
  const user = readUserPacket(octets, (octets[0] ?? 0) >>> 4 === 4 ? 4 : 6);
  if (user === undefined) {
    drop(state, 'tun-malformed', link.session);
    return true;
  }
  const accountClass = permitted(link, user, 'source');
  if (accountClass === undefined) drop(state, 'acl', link.session);
  else fitted(state, link, user, accountClass, at);
  return true;
}

function fitted(state: EngineState, link: LinkRow, user: UserPacket, accountClass: number, at: Instant) {
  const path = pathMtu(state, link, at);
  // RFC 8200 §5: less than 1280 cannot be asked for; such packets are fragmented outside.
  const mtu = user.family === 4 ? path : Math.max(IPV6_MTU_MIN, path);
  clampUserMss(user, mtu);
  const mayBeCut = user.family === 4 && !user.packet.dontFragment;
  if (user.octets.length > mtu && !mayBeCut) return tooBig(state, link, user, mtu, at);
  const { mtuToPeer } = link.entry;
  // Without DF an outer fragment is better than an inner one, but the peer's MRU is a bound.
  if (user.family === 6 || user.octets.length <= mtuToPeer) {
    return metered(state, link, user, accountClass, at);
  }
  for (const octets of fragmentIpv4(user.packet, mtuToPeer)) {
    const fragment = readUserPacket(octets, 4);
    if (fragment !== undefined) metered(state, link, fragment, accountClass, at);
  }
}

/** RFC 6691 §2. */
export function clampUserMss(user: UserPacket, mtu: number): void {
  if (user.protocol !== TCP || user.later) return;
  clampMss(user.upper, mtu - (user.family === 4 ? limits.IPV4_TCP_OCTETS : limits.IPV6_TCP_OCTETS));
}

/**
 * RFC 1191 §4, RFC 4443 §3.2. The error goes back through the tun with the client's address as its source:
 * one of ours would be a martian on that interface.
 */
function tooBig(state: EngineState, link: LinkRow, user: UserPacket, mtu: number, at: Instant) {
  const { session } = link;
  drop(state, 'too-big', session);
  if (isAnswerless(user) || !take(session.icmp, limits.ICMP_RATE, at)) return;
  const emit = user.family === 4 ? emitFragmentationNeeded : emitPacketTooBig;
  state.sink.inner(emit(user.octets, user.packet.destination, user.packet.source, mtu));
}

/** RFC 1122 §3.2.2, RFC 4443 §2.4(e): about an error no other is sent, nor about a later IPv4 fragment. */
function isAnswerless({ family, protocol, upper, later }: UserPacket): boolean {
  if (family === 4) return later || (protocol === ICMP && isIcmp4Error(upper));
  return protocol === ICMPV6 && isIcmp6Error(upper);
}

function metered(state: EngineState, link: LinkRow, user: UserPacket, accountClass: number, at: Instant) {
  if (passes(link.toPeer, user.octets.length, at)) sendUser(state, link, user, accountClass, at);
  else drop(state, 'rate', link.session);
}

export function sendUser(
  state: EngineState,
  link: LinkRow,
  user: UserPacket,
  accountClass: number,
  at: Instant,
) {
  const { session, call, entry } = link;
  const { family, octets } = user;
  account(session, { direction: 'to-peer', family, class: accountClass }, octets.length);
  const tos = outerTos(link, user);
  if (call === undefined) return sendTunneled(state, session, user, tos, at);
  const agreed = { pfc: entry.pfcToPeer, acfc: entry.acfcToPeer };
  const protocol = family === 4 ? protocols.ipv4 : protocols.ipv6;
  sendFrame(state, call, { frame: { protocol, information: octets }, agreed, tos }, at);
}

/**
 * RFC 2983 §3: the inner DSCP, where the link has none of its own. RFC 6040 §4.1: the inner ECN in tunnel mode;
 * none around L2TP, whose client is not known to carry it back in (RFC 9601).
 */
function outerTos(link: LinkRow, user: UserPacket): number {
  const inner = trafficClassOf(user.octets);
  const dscp = link.entry.policy?.dscp ?? inner >>> 2;
  return (dscp << 2) | (link.call === undefined ? inner & 0x3 : 0);
}

/** RFC 2661 §3.1: a PPP frame in a data message of the call. */
export function sendFrame(
  state: EngineState,
  call: CallRow,
  out: { readonly frame: Frame; readonly agreed: FrameCompression; readonly tos: number },
  at: Instant,
) {
  const information = new Uint8Array(frameLength(out.frame, out.agreed));
  emitFrame(out.frame, information, 0, out.agreed);
  const { theirs, innerPorts, sequencing } = call.entry;
  const header = { tunnelId: theirs.tunnel, sessionId: theirs.call, priority: false };
  const octets = emitData(sequencing ? { ...header, ns: call.nsOut } : header, information);
  if (sequencing) call.nsOut = (call.nsOut + 1) & 0xffff;
  sendL2tp(state, call.session, innerPorts, { octets, tos: out.tos }, at);
}
