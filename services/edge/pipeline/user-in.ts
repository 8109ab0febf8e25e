import type { Instant } from '@culvert/kernel';
import { clampMss, emitEchoReply4, ICMP, type Ipv4Packet, parseIpv4, parseIpv6, TCP } from '@culvert/wire/ip';
import { bareFrame, protocols } from '@culvert/wire/ppp';
import * as limits from './limits.ts';
import { type Verdict, verdict4, verdict6 } from './policy.ts';
import type { LinkRow } from './rows.ts';
import { drop, type EngineState } from './state.ts';
import { take } from './token-bucket.ts';
import { pathMtu, sendUser } from './user-out.ts';

/** A user packet from an open link, towards the tun. `packet` is decrypted memory of our own. */
export function userIn(state: EngineState, link: LinkRow, packet: Uint8Array, protocol: number, at: Instant) {
  if (protocol === protocols.ipv4) ipv4In(state, link, packet, at);
  else ipv6In(state, link, packet, at);
}

function ipv4In(state: EngineState, link: LinkRow, octets: Uint8Array, at: Instant) {
  const { session } = link.call;
  const read = parseIpv4(octets);
  if (!read.ok) return drop(state, 'inner-malformed', session);
  const packet = read.value;
  const verdict = verdict4(state.policy, link, packet);
  if (verdict === 'to-gateway4') return echoed(state, link, packet, at);
  if (verdict !== 'forward') return refused(state, link, verdict);
  if (packet.protocol === TCP && packet.fragmentOffset === 0) {
    clampMss(packet.payload, pathMtu(state, link, at) - limits.IPV4_TCP_OCTETS);
  }
  forwarded(state, link, octets.subarray(0, packet.totalLength));
}

function ipv6In(state: EngineState, link: LinkRow, octets: Uint8Array, at: Instant) {
  const { call } = link;
  const { session } = call;
  const read = parseIpv6(octets);
  if (!read.ok) return drop(state, 'inner-malformed', session);
  const packet = read.value;
  const whole = octets.subarray(0, 40 + packet.payloadLength);
  const verdict = verdict6(state.policy, link, packet);
  if (verdict === 'link-local') {
    if (!take(call.linkLocal, limits.LINK_LOCAL_RATE, at)) return drop(state, 'control-rate', session);
    const frame = bareFrame({ protocol: protocols.ipv6, information: whole });
    state.sink.ppp({ session: session.session, call: call.entry.ours.call, octets: frame }, session.trace);
    return;
  }
  if (verdict !== 'forward') return refused(state, link, verdict);
  if (packet.protocol === TCP && (packet.fragment?.offset ?? 0) === 0) {
    clampMss(whole.subarray(packet.protocolOffset), pathMtu(state, link, at) - limits.IPV6_TCP_OCTETS);
  }
  forwarded(state, link, whole);
}

function refused(state: EngineState, link: LinkRow, verdict: Exclude<Verdict, 'forward'>) {
  const reason = verdict === 'to-gateway4' || verdict === 'link-local' ? 'inner-to-gateway' : verdict;
  drop(state, reason, link.call.session);
}

/**
 * Our end of the link answers Echo here, so that clients which probe their peer are content and still
 * nothing of theirs ever reaches a socket of this machine.
 */
function echoed(state: EngineState, link: LinkRow, packet: Ipv4Packet, at: Instant) {
  const { session } = link.call;
  const whole = packet.fragmentOffset === 0 && !packet.moreFragments;
  const reply =
    packet.protocol === ICMP && whole
      ? emitEchoReply4(packet.payload, packet.destination, packet.source)
      : undefined;
  if (reply === undefined) return drop(state, 'inner-to-gateway', session);
  if (!take(session.icmp, limits.ICMP_RATE, at)) return drop(state, 'control-rate', session);
  sendUser(state, link, protocols.ipv4, reply, at);
}

function forwarded(state: EngineState, link: LinkRow, packet: Uint8Array) {
  const { session } = link.call;
  session.packetsIn += 1;
  session.octetsIn += packet.length;
  state.sink.inner(packet);
}
