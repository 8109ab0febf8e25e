import type { ActorId, Delivery, EntropySeed, Happening, SessionState } from '@culvert/kernel';
import { parseIpv6, parseRouterSolicitation } from '@culvert/wire/ip';
import {
  type ControlPacket,
  codes,
  emitProtocolReject,
  parseControlPacket,
  protocols,
} from '@culvert/wire/ppp';
import type { AuthContext } from './auth/actions.ts';
import { classifyChap, userName } from './auth/classify.ts';
import { USER_OCTETS_MAX } from './auth/limits.ts';
import type { AutomatonContext } from './automaton/actions.ts';
import {
  classifyConfiguration,
  type Negotiating,
  type Negotiation,
  unknownCode,
} from './automaton/classify.ts';
import { type Dropped, dropped, isDropped } from './dropped.ts';
import type { PppBody } from './facts.ts';
import { ipcpNegotiation } from './ipcp/negotiation.ts';
import { ipv6cpNegotiation } from './ipv6cp/negotiation.ts';
import { classifyLcp } from './lcp/classify.ts';
import { lcpNegotiation, mruOf } from './lcp/negotiation.ts';
import { actorId, type LinkContext } from './link/context.ts';
import { LINKS_MAX } from './link/limits.ts';
import type { PppSettings } from './link/settings.ts';

export interface PppFact {
  readonly entropy: EntropySeed;
  readonly body: PppBody;
}

/** The pure half of opening a fact: what it means to which machine of the session. */
export function classify(fact: PppFact, state: SessionState): readonly Delivery[] | Dropped {
  const { body } = fact;
  if (body.type === 'link.start') return startLink(body.call, body.callingStation, body.settings, state);
  const id = actorId('link', body.call);
  const context = state[id]?.context as LinkContext | undefined;
  if (context === undefined) return dropped(isAnswer(body) ? 'late-answer' : 'no-link');
  switch (body.type) {
    case 'link.close':
      return tell(id, { type: 'CloseLink', reason: body.reason });
    case 'link.stop':
      return tell(id, { type: 'StopLink', reason: body.reason });
    case 'offered':
      return tell(id, { type: 'Offered', methods: body.methods });
    case 'verified': {
      const { attempt, verdict } = body;
      return tell(actorId('auth', body.call), { type: 'Verified', attempt, verdict });
    }
    case 'leased':
      return tell(id, { type: 'Leased', lease: body.lease });
    case 'unleased':
      return tell(id, { type: 'Unleased', reason: body.reason });
    case 'pap.request':
      return papRequest(body, state);
    case 'frame':
      return withLife(classifyFrame(fact.entropy, body, context, state), body, state);
  }
}

function isAnswer(body: PppBody): boolean {
  return (
    body.type === 'offered' || body.type === 'verified' || body.type === 'leased' || body.type === 'unleased'
  );
}

function startLink(
  call: number,
  callingStation: string,
  settings: PppSettings,
  state: SessionState,
): readonly Delivery[] | Dropped {
  const id = actorId('link', call);
  if (state[id] !== undefined) return dropped('duplicate-call');
  if (Object.keys(state).filter((key) => key.startsWith('link/')).length >= LINKS_MAX)
    return dropped('too-many-links');
  return [
    { type: 'beget', id, input: { call, callingStation, settings } },
    { type: 'tell', to: id, event: { type: 'Start' } },
  ];
}

function papRequest(
  body: Extract<PppBody, { type: 'pap.request' }>,
  state: SessionState,
): readonly Delivery[] | Dropped {
  const id = actorId('auth', body.call);
  const context = state[id]?.context as AuthContext | undefined;
  if (context === undefined) return dropped('wrong-phase');
  if (context.method !== 'pap') return dropped('method-not-agreed');
  if (body.peerId.length > USER_OCTETS_MAX) return dropped('malformed');
  const { identifier, peerId, sealedPassword } = body;
  const event = { type: 'Requested', identifier, user: userName(peerId), sealedPassword };
  return [{ type: 'tell', to: id, event }];
}

type FrameBody = Extract<PppBody, { type: 'frame' }>;

function classifyFrame(
  entropy: EntropySeed,
  body: FrameBody,
  link: LinkContext,
  state: SessionState,
): readonly Delivery[] | Dropped {
  const { call, protocol, information } = body;
  const lcp = negotiating('lcp', call, state);
  if (lcp === undefined || lcp.state === 'initial' || lcp.state === 'starting') return dropped('layer-down');
  if (protocol === protocols.ipv6) return routerSolicitation(information, call, state);
  if (protocol === protocols.lcp) {
    const negotiation = lcpNegotiation(lcp.context, link.settings, link.methods, entropy);
    return controlled(information, (packet) => classifyLcp(packet, lcp, negotiation));
  }
  // RFC 1661 §3.4: before LCP is Opened everything else is silently discarded.
  if (lcp.state !== 'opened') return dropped('wrong-phase');
  const peerMru = mruOf(lcp.context.theirs);
  if (protocol === protocols.chap) {
    return controlled(information, (packet) => classifyChap(packet, actorId('auth', call), state));
  }
  const network = networkNegotiation(entropy, protocol, link, state, peerMru);
  if (network !== undefined) {
    const [at, negotiation] = network;
    return controlled(
      information,
      (packet) => classifyConfiguration(packet, at, negotiation) ?? unknownCode(packet, at, peerMru),
    );
  }
  return unknownProtocol(body, peerMru, state);
}

/** IPCP or IPV6CP where the link has it: without an address of the family the protocol is unknown here. */
function networkNegotiation(
  entropy: EntropySeed,
  protocol: number,
  link: LinkContext,
  state: SessionState,
  peerMru: number,
): readonly [Negotiating, Negotiation] | undefined {
  if (protocol === protocols.ipcp && link.lease?.ipv4 !== undefined) {
    const at = negotiating('ipcp', link.call, state);
    const policy = { address: link.lease.ipv4.address, dns: link.settings.dns };
    return at && [at, ipcpNegotiation(at.context, policy, peerMru)];
  }
  if (protocol === protocols.ipv6cp && link.lease?.ipv6 !== undefined) {
    const at = negotiating('ipv6cp', link.call, state);
    return at && [at, ipv6cpNegotiation(at.context, entropy, peerMru)];
  }
  return undefined;
}

/** RFC 1661 §3.5: refused in the network phase, silently discarded before it. */
function unknownProtocol(
  body: FrameBody,
  peerMru: number,
  state: SessionState,
): readonly Delivery[] | Dropped {
  const id = actorId('link', body.call);
  if (!state[id]?.matches({ live: 'network' })) return dropped('wrong-phase');
  const { protocol, information } = body;
  const event = { type: 'Unknown', protocol, data: emitProtocolReject({ protocol, information }, peerMru) };
  return [{ type: 'tell', to: id, event }];
}

/** RFC 4861 §6.2.6; all other IPv6 is user data, which the edge forwards and does not send here. */
function routerSolicitation(
  packet: Uint8Array,
  call: number,
  state: SessionState,
): readonly Delivery[] | Dropped {
  const to = actorId('advertiser', call);
  if (state[to] === undefined) return dropped('wrong-phase');
  const solicitation = parseRouterSolicitation(packet);
  if (!solicitation.ok) return dropped(parseIpv6(packet).ok ? 'ipv6-housekeeping' : 'malformed');
  const { source } = solicitation.value;
  const linkLocal = source[0] === 0xfe && ((source[1] ?? 0) & 0xc0) === 0x80;
  const from = linkLocal ? { from: source.slice() } : {};
  return tell(to, { type: 'Solicited', ...from });
}

function controlled(
  information: Uint8Array,
  then: (packet: ControlPacket) => readonly Delivery[] | Dropped,
): readonly Delivery[] | Dropped {
  const packet = parseControlPacket(information);
  return packet.ok ? then(packet.value) : dropped('malformed');
}

function negotiating(
  kind: 'lcp' | 'ipcp' | 'ipv6cp',
  call: number,
  state: SessionState,
): Negotiating | undefined {
  const id = actorId(kind, call);
  const snapshot = state[id];
  if (snapshot === undefined) return undefined;
  const { value } = snapshot;
  const leaf = typeof value === 'string' ? value : String(Object.values(value)[0]);
  return { id, state: leaf, context: snapshot.context as AutomatonContext };
}

function tell<E extends Happening>(to: ActorId, event: E): readonly Delivery[] {
  return [{ type: 'tell', to, event }];
}

/** Whatever the peer said, it has shown that it lives. */
function withLife(
  deliveries: readonly Delivery[] | Dropped,
  { call, protocol, information }: FrameBody,
  state: SessionState,
): readonly Delivery[] | Dropped {
  const echo = actorId('echo', call);
  if (isDropped(deliveries) || state[echo] === undefined) return deliveries;
  const answer = protocol === protocols.lcp && information[0] === codes.echoReply;
  return [...deliveries, ...tell(echo, { type: answer ? 'Answered' : 'Heard' })];
}
