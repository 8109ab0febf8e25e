import {
  type AuthContext,
  type AutomatonContext,
  classify,
  isDropped,
  type PppBody,
  type PppSettings,
  pppActors,
} from '@culvert/actors-ppp';
import { kindOf, type SessionState } from '@culvert/kernel';
import { hex } from '@culvert/wire';
import { routerSolicitationPacket } from '@culvert/wire/ip';
import {
  accmOption,
  authenticationProtocolOption,
  type CpOption,
  chapAlgorithms,
  controlPacketOctets,
  emitChapValue,
  emitMsChapV2Response,
  interfaceIdentifierOption,
  ipcpOptions,
  ipv4Option,
  magicNumberOption,
  mruOption,
  optionsOctets,
  protocols,
} from '@culvert/wire/ppp';
import type { AuthEvent } from '../../actors/ppp/auth/events.ts';
import type { AutomatonEvent } from '../../actors/ppp/automaton/events.ts';
import type { LinkEvent } from '../../actors/ppp/link/events.ts';
import type { Chance } from '../sim/chance.ts';
import { mutated } from './mutate.ts';
import { pick, type Troupe } from './troupe.ts';

const CALLS = [17, 18, 0xffff];
const METHODS = ['ms-chap-v2', 'chap-md5', 'pap'] as const;
const REASONS = ['peer-closed', 'operator', 'peer-silent', 'session-ended', 'limit'] as const;
const LINK_LOCAL = hex('fe800000000000000000000000000001');

const SETTINGS: PppSettings = {
  name: 'gw1',
  mru: 1400,
  pfcAcfc: true,
  methods: METHODS,
  automaton: { restartInitialMs: 1_000, restartMs: 3_000, maxConfigure: 10, maxTerminate: 2, maxFailure: 5 },
  establishMs: 30_000,
  authenticateMs: 60_000,
  echo: { intervalMs: 30_000, failures: 4 },
  dns: [Uint8Array.of(10, 0, 0, 53)],
  dns6: [LINK_LOCAL],
  families: [4, 6],
};

const flag = (type: number): CpOption => ({ type, data: new Uint8Array(0) });

/** Options that clients send, good and bad. */
function options(chance: Chance): readonly CpOption[] {
  const all: readonly CpOption[] = [
    mruOption(pick(chance, [0, 64, 1280, 1400, 1500, 65_535])),
    magicNumberOption(pick(chance, [0, 1, 0xdead_beef])),
    accmOption(0),
    authenticationProtocolOption({ protocol: protocols.chap, algorithm: chapAlgorithms.msChapV2 }),
    authenticationProtocolOption({ protocol: protocols.pap }),
    flag(7),
    flag(8),
    { type: 13, data: Uint8Array.of(6) },
    ipv4Option(ipcpOptions.ipAddress, pick(chance, [new Uint8Array(4), Uint8Array.of(10, 98, 0, 9)])),
    ipv4Option(ipcpOptions.primaryDns, new Uint8Array(4)),
    interfaceIdentifierOption(chance.octets(8)),
    { type: chance.below(256), data: chance.octets(chance.below(10)) },
  ];
  return all.filter(() => chance.happens(0.3));
}

/** Of the machine's last request, or near it. */
function identifier(chance: Chance, state: SessionState): number {
  const known = Object.values(state).flatMap(({ context }) =>
    'identifier' in context && typeof context.identifier === 'number' ? [context.identifier] : [],
  );
  return known.length > 0 && chance.happens(0.7) ? pick(chance, known) & 0xff : chance.below(256);
}

/** What we asked last, so that an Ack may be right. */
function requested(chance: Chance, state: SessionState): Uint8Array {
  const requests = Object.values(state).flatMap(({ context }) =>
    'request' in context && Array.isArray(context.request) ? [context.request as readonly CpOption[]] : [],
  );
  const request = requests.length > 0 && chance.happens(0.7) ? pick(chance, requests) : options(chance);
  return optionsOctets(request);
}

function information(chance: Chance, state: SessionState): Uint8Array {
  const code = chance.happens(0.7) ? 1 + chance.below(7) : chance.below(16);
  const data = code === 2 ? requested(chance, state) : optionsOctets(options(chance));
  const packet = controlPacketOctets({ code, identifier: identifier(chance, state), data });
  return chance.happens(0.8) ? packet : mutated(chance, [packet]).subarray(0, 1_500);
}

function chap(chance: Chance, state: SessionState): Uint8Array {
  const response = emitMsChapV2Response({ peerChallenge: chance.octets(16), ntResponse: chance.octets(24) });
  const value = chance.happens(0.6) ? response : chance.octets(1 + chance.below(40));
  const data = emitChapValue({ value, name: chance.octets(chance.below(20)) });
  const code = chance.happens(0.8) ? 2 : chance.below(6);
  return controlPacketOctets({ code, identifier: identifier(chance, state), data });
}

function frame(chance: Chance, call: number, state: SessionState): PppBody {
  const protocol = pick(chance, Object.values(protocols));
  if (protocol === protocols.chap) return { type: 'frame', call, protocol, information: chap(chance, state) };
  if (protocol === protocols.ipv6) {
    const packet = routerSolicitationPacket(LINK_LOCAL, LINK_LOCAL);
    return {
      type: 'frame',
      call,
      protocol,
      information: chance.happens(0.7) ? packet : mutated(chance, [packet]),
    };
  }
  return { type: 'frame', call, protocol, information: information(chance, state) };
}

function body(chance: Chance, state: SessionState): PppBody {
  const call = chance.happens(0.9) ? (CALLS[0] as number) : pick(chance, CALLS);
  if (Object.keys(state).length === 0 || chance.happens(0.02))
    return { type: 'link.start', call, callingStation: '198.51.100.7', settings: SETTINGS };
  switch (chance.below(16)) {
    case 0:
      return { type: 'offered', call, methods: METHODS.filter(() => chance.happens(0.7)) };
    case 1:
      return { type: 'verified', call, attempt: chance.below(4), verdict: verdict(chance) };
    case 2:
      return { type: 'leased', call, lease: lease(chance) };
    case 3:
      return { type: 'unleased', call, reason: 'exhausted' };
    case 4:
      return chance.happens(0.2)
        ? { type: pick(chance, ['link.close', 'link.stop'] as const), call, reason: pick(chance, REASONS) }
        : frame(chance, call, state);
    case 5: {
      const peerId = chance.octets(chance.below(300));
      const sealedPassword = chance.octets(40);
      return { type: 'pap.request', call, identifier: chance.below(256), peerId, sealedPassword };
    }
    default:
      return frame(chance, call, state);
  }
}

/** What the first machine that waits for something waits for: an answer of aaa, or the client's next packet. */
function next(chance: Chance, state: SessionState): PppBody | undefined {
  for (const [id, { value, context }] of Object.entries(state)) {
    const call = Number(id.slice(id.indexOf('/') + 1));
    const at = JSON.stringify(value);
    const kind = kindOf(id);
    if (kind === 'link' && at === '"dead"') return { type: 'offered', call, methods: METHODS };
    if (kind === 'link' && at.includes('leasing')) return { type: 'leased', call, lease: lease(chance) };
    if (kind === 'auth' && at === '"verifying"')
      return { type: 'verified', call, attempt: (context as AuthContext).attempt, verdict: verdict(chance) };
    if (kind === 'auth' && at === '"awaiting"') {
      const { method, identifier: challenge } = context as AuthContext;
      if (method === 'pap')
        return {
          type: 'pap.request',
          call,
          identifier: 1,
          peerId: Uint8Array.of(97),
          sealedPassword: chance.octets(40),
        };
      const response = emitMsChapV2Response({
        peerChallenge: chance.octets(16),
        ntResponse: chance.octets(24),
      });
      const value16 = method === 'ms-chap-v2' ? response : chance.octets(16);
      const data = emitChapValue({ value: value16, name: Uint8Array.of(97) });
      const packet = controlPacketOctets({ code: 2, identifier: challenge, data });
      return { type: 'frame', call, protocol: protocols.chap, information: packet };
    }
    if (!('requestIdentifier' in context) || !at.includes('timed')) continue;
    const { protocol, requestIdentifier, request, layer } = context as AutomatonContext;
    const ack = { code: 2, identifier: requestIdentifier & 0xff, data: optionsOctets(request) };
    const wish = { code: 1, identifier: chance.below(256), data: optionsOctets(WISHES[layer]) };
    const packet = at.includes('ackRcvd') || (chance.happens(0.5) && !at.includes('ackSent')) ? wish : ack;
    return { type: 'frame', call, protocol, information: controlPacketOctets(packet) };
  }
  return undefined;
}

/** What our end agrees to at once. */
const WISHES: Readonly<Record<'lcp' | 'ipcp' | 'ipv6cp', readonly CpOption[]>> = {
  lcp: [mruOption(1400), magicNumberOption(0x1122_3344)],
  ipcp: [ipv4Option(ipcpOptions.ipAddress, Uint8Array.of(10, 98, 0, 9))],
  ipv6cp: [interfaceIdentifierOption(hex('0202020202020203'))],
};

const verdict = (chance: Chance) =>
  chance.happens(0.7)
    ? ({
        accepted: true,
        user: 'alice',
        authenticatorResponse: `S=${'0A'.repeat(20)}`,
        policy: chance.happens(0.3) ? { sessionTimeoutMs: 60_000 } : {},
      } as const)
    : ({ accepted: false, reason: 'wrong-password' } as const);

const lease = (chance: Chance) => ({
  ...(chance.happens(0.8) && {
    ipv4: { address: Uint8Array.of(10, 98, 0, 9), gateway: Uint8Array.of(10, 98, 0, 1) },
  }),
  ...(chance.happens(0.6) && { ipv6: { prefix: new Uint8Array(16), prefixLength: 64 } }),
});

function automatonEvent(chance: Chance, { request }: AutomatonContext): AutomatonEvent {
  const reply = { code: 2, identifier: chance.below(256), data: optionsOctets(options(chance)) };
  return pick<AutomatonEvent>(chance, [
    { type: 'Up' },
    { type: 'Down' },
    { type: 'Open' },
    { type: 'Close', text: 'enough' },
    { type: 'TO' },
    { type: 'RCR+', reply, options: options(chance) },
    { type: 'RCR-', reply: { ...reply, code: 3 } },
    { type: 'RCA' },
    // LCP never stops asking for authentication: what it asks next keeps that.
    { type: 'RCN', request, refused: options(chance) },
    { type: 'RTR', identifier: chance.below(256) },
    { type: 'RTA' },
    { type: 'RUC', data: chance.octets(20) },
    { type: 'RXJ+' },
    { type: 'RXJ-' },
    { type: 'RXR', reply },
    { type: 'RXR' },
  ]);
}

/** Not LayerUp, which a layer says once for each time that it comes up. */
function linkEvent(chance: Chance): LinkEvent {
  const layer = pick(chance, ['lcp', 'ipcp', 'ipv6cp'] as const);
  return pick<LinkEvent>(chance, [
    { type: 'Offered', methods: METHODS },
    { type: 'LayerDown', layer, cause: pick(chance, ['RTR', 'RCR+', 'Down'] as const) },
    { type: 'LayerStarted', layer },
    { type: 'LayerFinished', layer, silent: chance.happens(0.5) },
    { type: 'Failed', reason: 'peer-silent', message: 'silence' },
    { type: 'Accepted', user: pick(chance, ['alice', 'bob']), policy: {} },
    { type: 'Refused', reason: 'reflected', user: 'alice' },
    { type: 'Leased', lease: lease(chance) },
    { type: 'Unleased', reason: 'exhausted' },
    { type: 'Unknown', protocol: 0x80fd, data: chance.octets(20) },
    { type: 'Rejected', protocol: pick(chance, Object.values(protocols)) },
    { type: 'Identified', message: chance.octets(chance.below(1_000)) },
    { type: 'CloseLink', reason: pick(chance, REASONS) },
    { type: 'StopLink', reason: pick(chance, REASONS) },
    { type: 'PhaseExpired' },
    { type: 'LifetimeExpired' },
  ]);
}

function authEvent(chance: Chance): AuthEvent {
  const user = 'alice';
  return pick<AuthEvent>(chance, [
    { type: 'Requested', identifier: chance.below(256), user, sealedPassword: chance.octets(40) },
    {
      type: 'Responded',
      identifier: chance.below(4),
      user,
      shown: { method: 'ms-chap-v2', peerChallenge: chance.octets(16), ntResponse: chance.octets(24) },
      reflected: chance.happens(0.1),
    },
    { type: 'Verified', attempt: chance.below(4), verdict: verdict(chance) },
    { type: 'Admit' },
    { type: 'Confirmed' },
    { type: 'VerdictUnheard' },
    { type: 'ChallengeExpired' },
  ]);
}

export const pppTroupe: Troupe = {
  name: 'PPP machines',
  actors: pppActors,
  fact(chance, state) {
    const answer = classify({ entropy: chance.octets(32), body: body(chance, state) }, state);
    return isDropped(answer) ? { drop: answer.drop } : answer;
  },
  onward(chance, state) {
    const fact = { entropy: chance.octets(32), body: next(chance, state) ?? body(chance, state) };
    const answer = classify(fact, state);
    return isDropped(answer) ? { drop: answer.drop } : answer;
  },
  event(chance, id, state) {
    switch (kindOf(id)) {
      case 'link':
        return linkEvent(chance);
      case 'auth':
        return authEvent(chance);
      case 'echo':
        return { type: pick(chance, ['Answered', 'Heard', 'Tick']) };
      case 'advertiser':
        return chance.happens(0.5) ? { type: 'Tick' } : { type: 'Solicited' };
      default:
        return automatonEvent(chance, state[id]?.context as AutomatonContext);
    }
  },
};
