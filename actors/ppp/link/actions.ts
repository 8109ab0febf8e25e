import { type EntropySeed, invariant } from '@culvert/kernel';
import { concat } from '@culvert/wire';
import { codes, controlPacketOctets, lcpOptions, optionOf, protocols } from '@culvert/wire/ppp';
import type { AdvertiserInput } from '../advertiser/machine.ts';
import type { AuthInput } from '../auth/actions.ts';
import type { AutomatonInput } from '../automaton/actions.ts';
import type { EchoInput } from '../echo/machine.ts';
import type { Emitted } from '../effects.ts';
import { ipcpRequest } from '../ipcp/negotiation.ts';
import { interfaceIdentifierOf, ipv6cpRequest } from '../ipv6cp/negotiation.ts';
import { methodOf } from '../lcp/authentication.ts';
import { lcpRequest, magicOf, mruOf } from '../lcp/negotiation.ts';
import {
  actorId,
  beget,
  type LinkContext,
  linking,
  type NetworkLayer,
  type Sibling,
  tell,
} from './context.ts';
import type { LinkEvent } from './events.ts';
import { IDENTIFICATION_CHARACTERS_MAX, IDENTIFICATIONS_MAX, IPV6_MTU_MIN, NETWORK_MS } from './limits.ts';
import { endingOf, noteOf } from './reasons.ts';

export const PHASE = 'phase';
export const LIFETIME = 'lifetime';

const phase = (delayOf: (context: LinkContext) => number) =>
  linking.enqueueActions(({ context, enqueue }) => {
    enqueue.cancel(PHASE);
    enqueue.raise({ type: 'PhaseExpired' }, { id: PHASE, delay: delayOf(context) });
  });

const emitAll = (emitted: (context: LinkContext, event: LinkEvent) => readonly Emitted[]) =>
  linking.enqueueActions(({ context, event, enqueue }) => {
    for (const effect of emitted(context, event)) enqueue.emit(effect);
  });

function seedOf(event: LinkEvent): EntropySeed {
  invariant(event.entropy !== undefined, `${event.type} came without entropy`);
  return event.entropy;
}

/** LCP is begotten once per link; a renegotiation is its own affair. */
const establish = linking.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'Offered') return;
  const methods = context.settings.methods.filter((method) => event.methods.includes(method));
  const [first] = methods;
  if (first === undefined) return;
  enqueue.assign({ methods, siblings: ['lcp'] });
  const { call, settings } = context;
  const input: AutomatonInput = {
    owner: actorId('link', call),
    layer: 'lcp',
    call,
    protocol: protocols.lcp,
    limits: settings.automaton,
    request: lcpRequest(settings, first, seedOf(event)),
  };
  for (const effect of beget(actorId('lcp', call), input, { type: 'Open' }, { type: 'Up' }))
    enqueue.emit(effect);
  enqueue.emit({ type: 'early.take', call });
});

/** RFC 1661 §3.5: LCP is Opened; who is there? And from now on: is anybody there? */
const authenticate = linking.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'LayerUp') return;
  const { call, settings, callingStation } = context;
  const lcp = { ours: event.ours, theirs: event.theirs };
  enqueue.assign({
    lcp,
    siblings: [...context.siblings, 'auth', 'echo'],
    authentications: context.authentications + 1,
    fruitless: context.fruitless + 1,
  });
  const wanted = optionOf(event.ours, lcpOptions.authenticationProtocol);
  const method = wanted === undefined ? undefined : methodOf(wanted.data);
  // LCP never opens without the option: its loss is a Failed of the negotiation.
  invariant(method !== undefined, 'LCP opened without an authentication method of ours');
  const owner = actorId('link', call);
  const asking: AuthInput = {
    owner,
    call,
    callingStation,
    method,
    name: settings.name,
    attempt: context.authentications + 1,
  };
  const { intervalMs, failures: failuresMax } = settings.echo;
  const asked: EchoInput = { owner, call, magic: magicOf(event.ours), intervalMs, failuresMax };
  for (const effect of beget(actorId('auth', call), asking, { type: 'Begin' })) enqueue.emit(effect);
  for (const effect of beget(actorId('echo', call), asked, { type: 'Start' })) enqueue.emit(effect);
});

/** The user's time starts with the first authentication and is not renewed by another. */
const accept = linking.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'Accepted') return;
  const { user, policy } = event;
  const { call, settings } = context;
  if (context.user === undefined && policy.sessionTimeoutMs !== undefined) {
    enqueue.cancel(LIFETIME);
    enqueue.raise({ type: 'LifetimeExpired' }, { id: LIFETIME, delay: policy.sessionTimeoutMs });
  }
  enqueue.assign({ user, policy, leasing: true });
  const wanted = policy.staticIpv4 === undefined ? {} : { wanted: policy.staticIpv4 };
  enqueue.emit({ type: 'aaa.lease', call, user, ...wanted, families: settings.families });
});

const admit = emitAll((context) => [tell(actorId('auth', context.call), { type: 'Admit' })]);

const openNetworks = linking.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'Leased') return;
  const { call, settings } = context;
  const { lease } = event;
  const common = { owner: actorId('link', call), call, limits: settings.automaton };
  const networks: Partial<Record<NetworkLayer, 'negotiating'>> = {};
  if (lease.ipv4 !== undefined) {
    networks.ipcp = 'negotiating';
    const request = ipcpRequest(lease.ipv4.gateway);
    const input: AutomatonInput = { ...common, layer: 'ipcp', protocol: protocols.ipcp, request };
    for (const effect of beget(actorId('ipcp', call), input, { type: 'Open' }, { type: 'Up' }))
      enqueue.emit(effect);
  }
  if (lease.ipv6 !== undefined) {
    networks.ipv6cp = 'negotiating';
    const request = ipv6cpRequest(seedOf(event));
    const input: AutomatonInput = { ...common, layer: 'ipv6cp', protocol: protocols.ipv6cp, request };
    for (const effect of beget(actorId('ipv6cp', call), input, { type: 'Open' }, { type: 'Up' }))
      enqueue.emit(effect);
  }
  const begotten = Object.keys(networks) as NetworkLayer[];
  enqueue.assign({ lease, networks, siblings: [...context.siblings, ...begotten] });
});

const networkUp = linking.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'LayerUp' || event.layer === 'lcp') return;
  const first = !Object.values(context.networks).includes('opened');
  enqueue.cancel(PHASE);
  enqueue.emit(tell(actorId('auth', context.call), { type: 'Confirmed' }));
  const networks = { ...context.networks, [event.layer]: 'opened' } as const;
  enqueue.assign({ networks, opened: true, fruitless: 0 });
  if (first)
    enqueue.emit({
      type: 'explain',
      level: 'info',
      call: context.call,
      note: openedNote(context, event.layer),
    });
  if (event.layer !== 'ipv6cp' || context.lease?.ipv6 === undefined) return;
  const interfaceIds = {
    ours: ourIdentifier(interfaceIdentifierOf(event.ours)),
    theirs: interfaceIdentifierOf(event.theirs),
  };
  enqueue.assign({ interfaceIds, siblings: [...context.siblings, 'advertiser'] });
  const { call, settings } = context;
  const input: AdvertiserInput = {
    call,
    source: linkLocal(interfaceIds.ours),
    prefix: context.lease.ipv6.prefix,
    prefixLength: context.lease.ipv6.prefixLength,
    mtu: Math.max(IPV6_MTU_MIN, Math.min(settings.mru, mruOf(context.lcp?.theirs ?? []))),
    dns: settings.dns6,
  };
  for (const effect of beget(actorId('advertiser', call), input, { type: 'Start' })) enqueue.emit(effect);
});

function openedNote(context: LinkContext, layer: NetworkLayer) {
  const address = context.lease?.ipv4?.address.join('.') ?? '';
  return {
    message: 'link opened',
    fields: { user: context.user ?? '', layer, address, callingStation: context.callingStation },
  };
}

/** A peer may have refused to let us have an identifier; a router needs a link-local address all the same. */
function ourIdentifier(agreed: Uint8Array): Uint8Array {
  return agreed.some((octet) => octet !== 0) ? agreed : Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1);
}

/** RFC 5072 §5. */
function linkLocal(identifier: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0), identifier);
}

const networkDown = linking.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'LayerDown' || event.layer === 'lcp') return;
  enqueue.assign({ networks: { ...context.networks, [event.layer]: 'negotiating' } });
  if (event.layer !== 'ipv6cp') return;
  for (const effect of dismissed(context, ['advertiser'])) enqueue.emit(effect);
  enqueue.assign({ siblings: context.siblings.filter((kind) => kind !== 'advertiser') });
});

const networkFinished = linking.assign(({ context, event }) =>
  event.type === 'LayerFinished' && event.layer !== 'lcp'
    ? { networks: { ...context.networks, [event.layer]: 'finished' as const } }
    : {},
);

/** RFC 1661 §5.7: the rejected protocol's own automaton learns of it as RXJ-. */
const passRejection = emitAll((context, event) => {
  if (event.type !== 'Rejected') return [];
  if (event.protocol === protocols.ipcp) return [tell(actorId('ipcp', context.call), { type: 'RXJ-' })];
  if (event.protocol === protocols.ipv6cp) return [tell(actorId('ipv6cp', context.call), { type: 'RXJ-' })];
  return [];
});

const rejectProtocol = linking.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'Unknown') return;
  const identifier = (context.rejectIdentifier + 1) & 0xff;
  enqueue.assign({ rejectIdentifier: identifier });
  const information = controlPacketOctets({ code: codes.protocolReject, identifier, data: event.data });
  enqueue.emit({ type: 'frame.send', call: context.call, protocol: protocols.lcp, information });
});

/** Bounded and printable: a peer chooses these octets, an operator reads them. */
const identify = linking.assign(({ context, event }) => {
  if (event.type !== 'Identified') return {};
  const characters = [...event.message.subarray(0, IDENTIFICATION_CHARACTERS_MAX)];
  const text = characters
    .map((code) => (code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '.'))
    .join('');
  const known =
    context.identifications.includes(text) || context.identifications.length >= IDENTIFICATIONS_MAX;
  return known ? {} : { identifications: [...context.identifications, text] };
});

function dismissed(context: LinkContext, kinds: readonly Sibling[]): readonly Emitted[] {
  return context.siblings
    .filter((kind) => kinds.includes(kind))
    .map((kind) => tell(actorId(kind, context.call), { type: 'Dismiss' }));
}

const UPPER: readonly Sibling[] = ['auth', 'echo', 'ipcp', 'ipv6cp', 'advertiser'];

/** LCP has gone down: everything above it goes with it. */
const dismissUpper = linking.enqueueActions(({ context, enqueue }) => {
  for (const effect of dismissed(context, UPPER)) enqueue.emit(effect);
  enqueue.assign({ networks: {}, siblings: context.siblings.filter((kind) => kind === 'lcp') });
});

/** The first reason counts, and is told once. */
const conclude = linking.enqueueActions(({ context, event, enqueue }) => {
  if (context.ending !== undefined) return;
  const ending = endingOf(event, context);
  enqueue.assign({ ending });
  enqueue.emit({ type: 'explain', ...noteOf(ending, context) });
});

const closeLcp = emitAll((context) => [
  tell(actorId('lcp', context.call), { type: 'Close', text: context.ending?.message ?? '' }),
]);

const release = emitAll((context) => [
  ...dismissed(context, [...UPPER, 'lcp']),
  ...(context.leasing ? [{ type: 'aaa.release', call: context.call } as const] : []),
]);

const disconnect = emitAll((context) => {
  const { reason, message: advice } = context.ending ?? { reason: 'protocol-error' as const, message: '' };
  return [{ type: 'call.disconnect', call: context.call, reason, advice }];
});

export const actions = {
  askOffer: emitAll((context) => [{ type: 'aaa.offer', call: context.call }]),
  establishPhase: phase((context) => context.settings.establishMs),
  authenticatePhase: phase((context) => context.settings.authenticateMs),
  networkPhase: phase(() => NETWORK_MS),
  establish,
  authenticate,
  accept,
  admit,
  openNetworks,
  networkUp,
  networkDown,
  networkFinished,
  passRejection,
  rejectProtocol,
  identify,
  dismissUpper,
  conclude,
  leavePhase: linking.cancel(PHASE),
  closeLcp,
  release,
  disconnect,
};
