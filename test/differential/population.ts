/** The clients of a history and what the services declare about them: they come, rekey, move and leave. */
import type { ForwardEntry, LinkEntry } from '@culvert/contracts';
import { CLIENTS_MAX } from './addresses.ts';
import { type ClientSa, clientSa } from './client-sa.ts';
import type { Dice, Weighted } from './dice.ts';
import { type Identity, identityOf, makeCall, makeLink, makeSa } from './entries.ts';
import type { ClientCall } from './l2tp-frames.ts';
import { spoiled } from './malformed.ts';
import type { Step } from './step.ts';

export interface Client {
  readonly identity: Identity;
  readonly encapsulation: 'none' | 'udp';
  readonly kind: 'l2tp' | 'tunnel' | 'both';
  /** Where its NAT shows it. */
  flow: ClientSa['entry']['flow'];
  sas: ClientSa[];
  calls: ClientCall[];
  links: LinkEntry[];
  /** SAs that are no longer declared: some come again. */
  retired: ClientSa[];
}

/** An SA of before the engine's start, in the form of `EngineOptions.past`. */
export type Past = [inboundSpi: number, mark: { outboundSpi: number; top: number; next: number }];

export interface Population {
  readonly clients: readonly Client[];
  readonly past: readonly Past[];
  /** Everybody's first declarations. */
  arrivals(at: number): Step[];
  /** One thing that changes. */
  happening(at: number): Step[];
  grants(client: Client, sa: ClientSa, at: number): Step[];
}

type Bucket = 'ike' | 'l2tp' | 'ppp';
const BUCKETS: readonly Bucket[] = ['ike', 'l2tp', 'ppp'];

export function createPopulation(dice: Dice): Population {
  const past: Past[] = [];
  const clients = Array.from({ length: dice.between(2, CLIENTS_MAX) }, (_, index) => newClient(dice, index));
  let spi = 0x0140_0100;
  const rekey = (client: Client, at: number) => {
    spi += 1;
    const sa = newSa(dice, client, spi, at);
    client.sas = [sa, ...client.sas].slice(0, 5);
    if (dice.happens(0.15)) past.push([spi, markFor(dice, sa)]);
    return sa;
  };
  const grants = (client: Client, sa: ClientSa, at: number) => grantSteps(dice, client, sa, at);
  const arrive = (client: Client, at: number): Step[] => {
    for (let count = dice.between(1, 3); count > 0; count -= 1) rekey(client, at);
    callsAndLinks(dice, client);
    const steps = shuffled(dice, BUCKETS).map((bucket) => declared(client, bucket, at));
    for (const sa of client.sas) if (dice.happens(0.9)) steps.push(...grants(client, sa, at));
    return steps;
  };
  return {
    clients,
    past,
    grants,
    arrivals: (at) => clients.flatMap((client) => arrive(client, at)),
    happening(at) {
      const client = dice.pick(clients);
      if (client.sas.length === 0 && dice.happens(0.7)) return arrive(client, at);
      const change = dice.weighted(CHANGES);
      if (change === 'rekey') {
        const sa = rekey(client, at);
        return [declared(client, 'ike', at), ...(dice.happens(0.9) ? grants(client, sa, at) : [])];
      }
      return changed(dice, client, change, at);
    },
  };
}

type Change =
  | 'rekey'
  | 'links'
  | 'calls'
  | 'float'
  | 'retire'
  | 'revive'
  | 'spoil'
  | 'gone'
  | 'return'
  | 'steal';

const CHANGES: readonly Weighted<Change>[] = [
  [14, 'rekey'],
  [20, 'links'],
  [6, 'calls'],
  [8, 'float'],
  [6, 'retire'],
  [6, 'revive'],
  [16, 'spoil'],
  [3, 'gone'],
  [8, 'return'],
  [3, 'steal'],
];

function changed(dice: Dice, client: Client, change: Exclude<Change, 'rekey'>, at: number): Step[] {
  const { sas, retired, identity } = client;
  switch (change) {
    case 'links':
      // Often the same entries again, or the same but for one link.
      client.links = client.links.map((link) =>
        dice.happens(0.4)
          ? makeLink(dice, identity, link.call)
          : dice.happens(0.3)
            ? touched(dice, link)
            : link,
      );
      return [declared(client, 'ppp', at)];
    case 'calls':
      callsAndLinks(dice, client);
      return shuffled(dice, ['l2tp', 'ppp'] as const).map((bucket) => declared(client, bucket, at));
    case 'float':
      client.flow = newFlow(dice, client.encapsulation);
      for (const sa of sas) sa.entry = { ...sa.entry, flow: client.flow };
      return [declared(client, 'ike', at)];
    case 'retire':
      retired.push(...sas.splice(dice.below(sas.length + 1), 1));
      return [declared(client, 'ike', at)];
    case 'revive':
      sas.push(...retired.splice(dice.below(retired.length + 1), 1));
      return [declared(client, 'ike', at)];
    case 'gone':
      retired.push(...sas.splice(0));
      client.calls = [];
      client.links = [];
      return shuffled(dice, BUCKETS).map((bucket) => declared(client, bucket, at));
    case 'return':
      return [declared(client, dice.pick(BUCKETS), at)];
    case 'spoil': {
      const step = declared(client, dice.pick(['ike', 'ppp', 'ppp'] as const), at);
      if (step.kind !== 'declare') return [step];
      const entries = spoiled(dice, step.declaration.entries);
      return [{ ...step, declaration: { ...step.declaration, entries } }];
    }
    case 'steal': {
      // An SPI of another session, declared for a session of its own: refused while the owner has it.
      const sa = sas[0];
      const session = identityOf(CLIENTS_MAX + 1).session;
      const entries = sa === undefined || dice.happens(0.5) ? [] : [{ ...sa.entry, session }];
      return [{ kind: 'declare', declaration: { session, bucket: 'ike', entries }, at }];
    }
  }
}

/** A link with another detail, under the same call and addresses. */
function touched(dice: Dice, link: LinkEntry): LinkEntry {
  const other = makeLink(dice, { index: 0, session: link.session, trace: link.trace }, link.call);
  const { mtuToPeer, pfcToPeer, acfcToPeer } = other;
  return { ...link, mtuToPeer, pfcToPeer, acfcToPeer };
}

function declared(client: Client, bucket: Bucket, at: number): Step {
  const entries: readonly ForwardEntry[] =
    bucket === 'ike'
      ? client.sas.map(({ entry }) => entry)
      : bucket === 'l2tp'
        ? client.calls.map(({ entry }) => entry)
        : client.links;
  return { kind: 'declare', declaration: { session: client.identity.session, bucket, entries }, at };
}

const KINDS: readonly Weighted<Client['kind']>[] = [
  [55, 'l2tp'],
  [30, 'tunnel'],
  [15, 'both'],
];

function newClient(dice: Dice, index: number): Client {
  const encapsulation = dice.happens(0.7) ? 'udp' : 'none';
  return {
    identity: identityOf(index),
    encapsulation,
    kind: dice.weighted(KINDS),
    flow: newFlow(dice, encapsulation),
    sas: [],
    calls: [],
    links: [],
    retired: [],
  };
}

export function newFlow(dice: Dice, encapsulation: 'none' | 'udp'): Client['flow'] {
  const six = dice.happens(0.25);
  const [here, there] = six
    ? ['2001:db8:7::1', `2001:db8:c::${dice.between(1, 3)}`]
    : ['198.51.100.1', `203.0.113.${dice.between(1, 3)}`];
  const udp = encapsulation === 'udp';
  return {
    local: { address: here, port: udp ? 4500 : 0 },
    remote: { address: there, port: udp ? dice.pick([4500, 61_000, 61_001]) : 0 },
  };
}

function newSa(dice: Dice, client: Client, inboundSpi: number, at: number): ClientSa {
  const { identity, flow, kind } = client;
  const tunnel = kind === 'tunnel' || (kind === 'both' && dice.happens(0.5));
  const encapsulation = dice.happens(0.95) ? client.encapsulation : 'none';
  const entry = makeSa(dice, identity, { inboundSpi, flow, encapsulation, tunnel, at });
  const truncates = entry.integrity === 'hmac-sha2-256-128' && dice.happens(0.5);
  const sequence = entry.esn === true || dice.happens(0.97) ? 0 : 2 ** 32 - dice.between(20, 200);
  return clientSa(entry, { sequence, truncates });
}

/** How far the SA had come: the client goes on from about there. */
function markFor(dice: Dice, sa: ClientSa): Past[1] {
  const top = sa.esn
    ? dice.pick([2 ** 32 - 20, 2 ** 32, 2 ** 32 + 63, 7 * 2 ** 32 - 5, 2 ** 45 + 1, dice.below(300)])
    : dice.below(300);
  sa.sequence = Math.max(sa.sequence, top - dice.below(20));
  const next = dice.pick([0, 1, 100, sa.esn ? 2 ** 32 - 10 : 2 ** 31]);
  const outboundSpi = dice.happens(0.85) ? sa.entry.outboundSpi : 1;
  return { outboundSpi, top, next };
}

function callsAndLinks(dice: Dice, client: Client): void {
  const { identity, kind } = client;
  const count = kind === 'tunnel' ? dice.below(2) : dice.pick([1, 1, 1, 1, 1, 1, 1, 2]);
  client.calls = Array.from({ length: count }, (_, number) => ({
    entry: makeCall(dice, identity, number),
    ns: dice.pick([0, 0, 0xfff0]),
  }));
  const numbers = client.calls.map(({ entry }) => entry.ours.call);
  if (kind !== 'l2tp') numbers.unshift(0);
  client.links = numbers.filter(() => dice.happens(0.94)).map((call) => makeLink(dice, identity, call));
}

function grantSteps(dice: Dice, client: Client, sa: ClientSa, at: number): Step[] {
  const { inboundSpi } = sa.entry;
  const kind = dice.next();
  if (kind < 0.04) sa.granted = sa.esn ? dice.pick([2 ** 32 - 2, 2 ** 32 + 1, 2 ** 40]) : 2 ** 32 - 4;
  // A reservation told twice or in part twice: still each number may be used once only (INV-3).
  const first = kind < 0.2 ? Math.max(0, sa.granted - dice.below(20)) : sa.granted;
  const size = dice.pick([1, 1, 3, 3, 20, 100, 300, 1000, 2 ** 24]);
  const end = kind > 0.98 ? Math.max(0, first - 5) : first + size;
  sa.granted = Math.max(sa.granted, end);
  const spi = dice.happens(0.98) ? inboundSpi : client.identity.index;
  return [{ kind: 'grant', grant: { inboundSpi: spi, first, end }, at }];
}

export function shuffled<T>(dice: Dice, items: readonly T[]): T[] {
  const rest = [...items];
  const out: T[] = [];
  while (rest.length > 0) out.push(...rest.splice(dice.below(rest.length), 1));
  return out;
}
