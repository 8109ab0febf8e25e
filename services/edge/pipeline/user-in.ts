import type { Instant } from '@culvert/kernel';
import {
  decapsulatedEcn,
  emitEchoReply4,
  ICMP,
  type Ipv4Packet,
  setEcn,
  trafficClassOf,
} from '@culvert/wire/ip';
import { bareFrame, protocols } from '@culvert/wire/ppp';
import { account } from './accounting.ts';
import * as limits from './limits.ts';
import { passes, permitted } from './link-policy.ts';
import { type Verdict, verdict4, verdict6 } from './policy.ts';
import type { LinkRow, SaRow } from './rows.ts';
import { selects } from './selectors.ts';
import { drop, type EngineState } from './state.ts';
import { take } from './token-bucket.ts';
import { clampUserMss, pathMtu, sendUser } from './user-out.ts';
import { readUserPacket, type UserPacket } from './user-packet.ts';

/** A packet of an open link, with what it came in. */
export interface Arrived {
  readonly link: LinkRow;
  readonly family: 4 | 6;
  /** Decrypted memory of our own. */
  readonly octets: Uint8Array;
  /** TOS or traffic class of the outer header. */
  readonly tos: number;
  /** In tunnel mode: the SA's selectors bound what may come in it. */
  readonly tunnel?: SaRow['tunnel'];
}

/** The link, where that family has an address on it. */
export function openLink(link: LinkRow | undefined, family: 4 | 6): LinkRow | undefined {
  const address = family === 4 ? link?.ipv4 : link?.ipv6;
  return address === undefined ? undefined : link;
}

/**
 * Towards the tun: 1 what it is, 2 is it what the SA is for, 3 may a client send it at all, 4 may this one, 5 was
 * there congestion on the way, 6 rate and account.
 */
export function userIn(state: EngineState, arrived: Arrived, at: Instant) {
  const { link, tunnel } = arrived;
  const { session } = link;
  const user = readUserPacket(arrived.octets, arrived.family);
  if (user === undefined) return drop(state, 'inner-malformed', session);
  const sides = tunnel && { sources: tunnel.remote, destinations: tunnel.local };
  if (sides !== undefined && !selects(sides, user)) return drop(state, 'selector', session);
  const verdict =
    user.family === 4 ? verdict4(state.policy, link, user.packet) : verdict6(state.policy, link, user.packet);
  if (verdict === 'forward') return allowed(state, link, user, arrived.tos, at);
  if (verdict === 'to-gateway4' && user.family === 4) return echoed(state, link, user.packet, at);
  if (verdict === 'link-local' && user.family === 6) return housekeeping(state, link, user, at);
  refused(state, link, verdict);
}

function allowed(state: EngineState, link: LinkRow, user: UserPacket, tos: number, at: Instant) {
  const { session } = link;
  const { family, octets } = user;
  const accountClass = permitted(link, user, 'destination');
  if (accountClass === undefined) return drop(state, 'acl', session);
  const inner = trafficClassOf(octets) & 0x3;
  const ecn = decapsulatedEcn(inner, tos & 0x3);
  if (ecn === undefined) return drop(state, 'ecn', session);
  if (ecn !== inner) setEcn(octets, ecn);
  if (!passes(link.fromPeer, octets.length, at)) return drop(state, 'rate', session);
  clampUserMss(user, pathMtu(state, link, at));
  account(session, { direction: 'from-peer', family, class: accountClass }, octets.length);
  state.sink.inner(octets);
}

function refused(state: EngineState, link: LinkRow, verdict: Exclude<Verdict, 'forward'>) {
  const reason = verdict === 'to-gateway4' || verdict === 'link-local' ? 'inner-to-gateway' : verdict;
  drop(state, reason, link.session);
}

/** IPv6's own housekeeping is the ppp service's. In tunnel mode there is no link to keep. */
function housekeeping(state: EngineState, { session, call }: LinkRow, user: UserPacket, at: Instant) {
  if (call === undefined) return drop(state, 'inner-martian', session);
  if (!take(call.linkLocal, limits.LINK_LOCAL_RATE, at)) return drop(state, 'control-rate', session);
  const octets = bareFrame({ protocol: protocols.ipv6, information: user.octets });
  state.sink.ppp({ session: session.session, call: call.entry.ours.call, octets }, session.trace);
}

/**
 * Our end of the link answers Echo here, so that clients which probe their peer are content and still
 * nothing of theirs ever reaches a socket of this machine.
 */
function echoed(state: EngineState, link: LinkRow, packet: Ipv4Packet, at: Instant) {
  const { session } = link;
  const whole = packet.fragmentOffset === 0 && !packet.moreFragments;
  const reply =
    packet.protocol === ICMP && whole
      ? emitEchoReply4(packet.payload, packet.destination, packet.source)
      : undefined;
  const user = reply && readUserPacket(reply, 4);
  if (user === undefined) return drop(state, 'inner-to-gateway', session);
  if (!take(session.icmp, limits.ICMP_RATE, at)) return drop(state, 'control-rate', session);
  sendUser(state, link, user, 0, at);
}
