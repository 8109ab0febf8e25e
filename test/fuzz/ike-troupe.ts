import {
  classify,
  type IkeBody,
  type IkePolicy,
  type IsakmpSaContext,
  ikeActors,
  type Path,
  type QuickModeContext,
} from '@culvert/actors-ike';
import { type Happening, kindOf, type SessionState } from '@culvert/kernel';
import { be32, hex } from '@culvert/wire';
import { type Chain, DOI, emitChain, NOTIFY, type Payload, PROTOCOL, parseChain } from '@culvert/wire/ike';
import type { InformationalHappening } from '../../actors/ike/v1/informational/events.ts';
import type { IsakmpSaHappening } from '../../actors/ike/v1/isakmp-sa/events.ts';
import type { QuickModeHappening } from '../../actors/ike/v1/quick-mode/events.ts';
import type { SessionHappening } from '../../actors/ike/v1/session/events.ts';
import { modern } from '../peer/profile.ts';
import type { Chance } from '../sim/chance.ts';
import { CHAINS } from './ike-samples.ts';
import { mutated } from './mutate.ts';
import { pick, type Troupe } from './troupe.ts';

const COOKIES = ['1112131415161718', '2122232425262728', '3132333435363738'];
const INITIATOR = '0102030405060708';
const REASONS = ['peer-closed', 'operator', 'peer-silent', 'session-ended', 'limit'] as const;
const PATHS: readonly Path[] = [500, 4500, 20_000].map((port) => ({
  node: 'gw1',
  listener: 'main',
  flow: {
    local: { address: '192.0.2.1', port: port === 500 ? 500 : 4500 },
    remote: { address: '198.51.100.7', port },
  },
  nonEspMarker: port !== 500,
}));
const POLICY: IkePolicy = {
  phase1: {
    encryption: ['aes-cbc-256', 'aes-cbc-128'],
    hash: ['sha2-256', 'sha1'],
    groups: [19, 20, 14],
    lifetimeSeconds: 28_800,
  },
  phase2: {
    encryption: ['aes-gcm-16-256', 'aes-cbc-256'],
    integrity: ['none', 'hmac-sha1-96', 'hmac-sha2-256-128'],
    groups: [19, 14],
    lifetimeSeconds: 3_600,
  },
  halfOpenMs: 30_000,
  dpd: { intervalMs: 30_000, timeoutMs: 120_000 },
  sasPerSessionMax: 8,
  fragmentation: true,
};

/** Read back from octets, often changed ones, so that it is what a decoder lets through. */
function chainOf(chance: Chance, payloads: readonly Payload[]): Chain {
  const { first, octets } = emitChain(payloads);
  const changed = parseChain(chance.happens(0.3) ? mutated(chance, [octets]) : octets, 0, first);
  return changed.ok ? changed.value : wholeChain(payloads);
}

function sample(chance: Chance, name: 'MM1' | 'QM1'): readonly Payload[] {
  const [, payloads] = pick(
    chance,
    Object.entries(CHAINS).filter(([key]) => key.startsWith(name)),
  );
  return payloads;
}

/** Informational exchanges that fit what is there, now and then. */
function news(chance: Chance, state: SessionState): readonly Payload[] {
  const contexts = Object.entries(state);
  const outbound = contexts.flatMap(([id, { context }]) =>
    id.startsWith('quick-mode/') ? [be32((context as QuickModeContext).outboundSpi)] : [],
  );
  const sequences = contexts.flatMap(([id, { context }]) =>
    id.startsWith('informational/') ? [(context as { sequence: number }).sequence] : [],
  );
  const notify = (notifyType: number, data: Uint8Array): Payload => ({
    kind: 'N',
    doi: DOI.IPSEC,
    protocol: PROTOCOL.ISAKMP,
    notifyType,
    spi: hex(INITIATOR + COOKIES[0]),
    data,
  });
  return pick<readonly Payload[]>(chance, [
    [notify(NOTIFY['R-U-THERE'], be32(chance.below(100)))],
    [notify(NOTIFY['R-U-THERE-ACK'], be32(pick(chance, [...sequences, 3])))],
    [notify(NOTIFY['INITIAL-CONTACT'], new Uint8Array(0))],
    [notify(NOTIFY['INVALID-SPI'], pick(chance, [...outbound, be32(5)]))],
    [
      {
        kind: 'D',
        doi: DOI.IPSEC,
        protocol: PROTOCOL.ESP,
        spis: [...outbound, be32(9)].slice(0, 1 + chance.below(9)),
      },
    ],
    [
      {
        kind: 'D',
        doi: DOI.IPSEC,
        protocol: PROTOCOL.ISAKMP,
        spis: [hex(INITIATOR + pick(chance, COOKIES))],
      },
    ],
    Array.from({ length: chance.below(60) }, (_, index) => notify(NOTIFY['R-U-THERE'], be32(index))),
  ]);
}

function received(chance: Chance, state: SessionState) {
  const known = Object.entries(state).flatMap(([id, { context }]) =>
    id.startsWith('isakmp-sa/') ? [(context as IsakmpSaContext).cookie] : [],
  );
  return {
    isakmpSa: known.length > 0 && chance.happens(0.85) ? pick(chance, known) : pick(chance, COOKIES),
    messageId: 1 + chance.below(20),
    request: `digest ${chance.below(5)}`,
    path: pick(chance, PATHS),
  };
}

function body(chance: Chance, state: SessionState): IkeBody {
  const base = received(chance, state);
  const ids = Object.keys(state);
  const dh = chance.happens(0.8)
    ? ({ ok: true, publicValue: chance.octets(64) } as const)
    : ({ ok: false, reason: 'out-of-range' } as const);
  const first = {
    ...base,
    messageId: 0,
    initiatorCookie: INITIATOR,
    forceEncapsulation: chance.happens(0.2),
  };
  if (ids.length === 0 || chance.happens(0.05)) {
    const type = chance.happens(0.95) ? 'MM1' : 'AM1';
    return { ...first, type, chain: chainOf(chance, sample(chance, 'MM1')) };
  }
  const nat = {
    numbers: 'rfc3947',
    localMatches: chance.happens(0.5),
    remoteMatches: chance.happens(0.5),
  } as const;
  const reason = pick(chance, REASONS);
  const all: readonly IkeBody[] = [
    { ...base, type: 'MM3', chain: chainOf(chance, CHAINS.MM3 ?? []), ...(chance.happens(0.8) && { nat }) },
    { ...base, type: 'MM5', chain: chainOf(chance, CHAINS.MM5 ?? []), psk: 'office' },
    { ...base, type: 'MM5 unverified', candidates: ['office', 'other'] },
    {
      ...base,
      type: 'QM1',
      chain: chainOf(chance, sample(chance, 'QM1')),
      spi: 256 + chance.below(1_000_000),
      addresses: { initiator: new Uint8Array(4), responder: new Uint8Array(4) },
    },
    { ...base, type: 'QM3', contactDue: chance.happens(0.5) },
    { ...base, type: 'INFO', chain: chainOf(chance, news(chance, state)) },
    { ...base, type: 'duplicate' },
    { type: 'dh', actor: pick(chance, ids), outcome: dh },
    { type: 'admitted', isakmpSa: base.isakmpSa },
    {
      type: 'activity',
      actor: pick(chance, ids),
      idleMs: chance.happens(0.2) ? undefined : chance.below(200_000),
    },
    { type: 'told', known: chance.happens(0.5) },
    { type: 'tunnel.opened' },
    { type: 'tunnel.closed', reason },
    { type: 'probe' },
  ];
  if (chance.happens(0.01)) return { type: 'close', reason };
  return chance.happens(0.01) ? { type: 'superseded' } : pick(chance, all);
}

/** What the first machine that waits for something waits for. */
function next(chance: Chance, state: SessionState): IkeBody | undefined {
  const request = `digest ${chance.below(1_000)}`;
  for (const [id, { value, context }] of Object.entries(state)) {
    const at = JSON.stringify(value);
    if (at.includes('agreeing'))
      return { type: 'dh', actor: id, outcome: { ok: true, publicValue: chance.octets(64) } };
    if (at.includes('tunnelAwaited')) return { type: 'tunnel.opened' };
    if (at.includes('answered')) {
      const { isakmpSa, messageId, path = PATHS[0] as Path } = context as QuickModeContext;
      return { type: 'QM3', isakmpSa, messageId, request, path, contactDue: chance.happens(0.1) };
    }
    if (!id.startsWith('isakmp-sa/')) continue;
    const { cookie, path } = context as IsakmpSaContext;
    const base = { isakmpSa: cookie, messageId: 0, request, path };
    if (at.includes('mm2Sent')) {
      const nat = { numbers: 'rfc3947', localMatches: true, remoteMatches: false } as const;
      return { ...base, type: 'MM3', chain: wholeChain(CHAINS.MM3 ?? []), nat };
    }
    if (at.includes('mm4Sent'))
      return { ...base, type: 'MM5', chain: wholeChain(CHAINS.MM5 ?? []), psk: 'office' };
    if (at.includes('admitting')) return { type: 'admitted', isakmpSa: cookie };
    if (at.includes('established') && chance.happens(0.3)) {
      const chain = wholeChain(CHAINS[`QM1 ${modern.name}`] ?? []);
      const addresses = { initiator: new Uint8Array(4), responder: new Uint8Array(4) };
      return {
        ...base,
        type: 'QM1',
        messageId: 1 + chance.below(60),
        chain,
        spi: 256 + chance.below(9_999),
        addresses,
      };
    }
  }
  const live = Object.values(state).some(({ value }) => value !== 'refused');
  if (live && chance.happens(0.95)) return undefined;
  const unused = COOKIES.find((cookie) => state[`isakmp-sa/${cookie}`] === undefined);
  if (unused === undefined) return undefined;
  return {
    type: 'MM1',
    isakmpSa: unused,
    messageId: 0,
    request,
    path: pick(chance, PATHS),
    initiatorCookie: INITIATOR,
    forceEncapsulation: false,
    chain: wholeChain(CHAINS[`MM1 ${modern.name}`] ?? []),
  };
}

function wholeChain(payloads: readonly Payload[]): Chain {
  const { first, octets } = emitChain(payloads);
  const whole = parseChain(octets, 0, first);
  if (!whole.ok) throw new Error(`a sample is ${whole.reason}`);
  return whole.value;
}

const REFUSAL = { phase: 'phase 1', reason: 'no', offered: ['x'], allowed: 'y', looksLike: 'z' } as const;

function isakmpEvent(chance: Chance): IsakmpSaHappening {
  const [path, request] = [pick(chance, PATHS), 'r'];
  return pick<IsakmpSaHappening>(chance, [
    { type: 'SA-', request, path, refusal: REFUSAL, notifyType: 14 },
    { type: 'KE', request, path, publicValue: chance.octets(64), nonce: chance.octets(32) },
    { type: 'DH+', publicValue: chance.octets(64) },
    { type: 'DH-', reason: 'out-of-range' },
    { type: 'AUTH+', request, path, identity: { idType: 1, text: 'x' }, psk: 'office', initialContact: true },
    { type: 'AUTH-', path, candidates: ['office'] },
    { type: 'DUPLICATE', messageId: 0, path },
    { type: 'MOVED', path },
    { type: 'QM-', path, refusal: REFUSAL, notifyType: 14, messageId: 7, spi: be32(9) },
    { type: 'SEND', payloads: [{ kind: 'HASH', data: chance.octets(20) }] },
    { type: 'INITIAL-CONTACT' },
    { type: 'DELETED' },
    { type: 'CLOSE' },
    { type: 'DROP' },
    { type: 'DEAD' },
    { type: 'HALF-OPEN' },
    { type: 'LIFETIME' },
  ]);
}

function quickEvent(chance: Chance): QuickModeHappening {
  return pick<QuickModeHappening>(chance, [
    { type: 'DH+', publicValue: chance.octets(64) },
    { type: 'DH-', reason: 'out-of-range' },
    { type: 'QM3' },
    { type: 'UNCONFIRMED' },
    { type: 'DUPLICATE', path: pick(chance, PATHS) },
    { type: 'DELETED' },
    { type: 'DROP' },
    { type: 'CROWDED' },
    { type: 'LIFETIME' },
  ]);
}

/** Not what adds an SA without its machine: that comes from the machines themselves. */
function sessionEvent(chance: Chance, state: SessionState): SessionHappening {
  const ids = Object.keys(state);
  const reason = pick(chance, REASONS);
  return pick<SessionHappening>(chance, [
    { type: 'ISAKMP-DOWN', id: pick(chance, ids), silent: chance.happens(0.5) },
    { type: 'IPSEC-DOWN', id: pick(chance, ids), expired: chance.happens(0.5) },
    { type: 'ANNOUNCE-DELETE', spis: [9] },
    { type: 'TUNNEL-OPENED' },
    { type: 'TUNNEL-CLOSED', reason },
    { type: 'CLOSE', reason },
    { type: 'SUPERSEDED' },
    { type: 'TOLD', known: chance.happens(0.5) },
    { type: 'AWAITED' },
    { type: 'GIVE-UP' },
  ]);
}

function dpdEvent(chance: Chance): InformationalHappening {
  return pick<InformationalHappening>(chance, [
    { type: 'R-U-THERE', sequence: chance.below(100) },
    { type: 'R-U-THERE-ACK', sequence: chance.below(100) },
    { type: 'ACTIVITY', idleMs: chance.below(200_000) },
    { type: 'ACTIVITY', idleMs: undefined },
    { type: 'PROBE' },
    { type: 'IDLE' },
    { type: 'RETRY' },
  ]);
}

export const ikeTroupe: Troupe = {
  name: 'IKE machines',
  actors: ikeActors,
  fact: (chance, state) => classify(body(chance, state), state, POLICY),
  onward: (chance, state) => classify(next(chance, state) ?? body(chance, state), state, POLICY),
  event(chance, id, state): Happening {
    switch (kindOf(id)) {
      case 'isakmp-sa':
        return isakmpEvent(chance);
      case 'quick-mode':
        return quickEvent(chance);
      case 'informational':
        return dpdEvent(chance);
      default:
        return sessionEvent(chance, state);
    }
  },
};
