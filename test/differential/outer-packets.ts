/** Packets from outside: a client's, in ESP and otherwise, and those of somebody who has no keys. */
import { type OuterFlow, type OuterPacket, outerFlow } from '../../services/edge/pipeline/index.ts';
import { foreign, octetsOf, place, within } from './addresses.ts';
import { blockOf, type ClientSa, plainOf, sealPlain } from './client-sa.ts';
import type { Dice, Weighted } from './dice.ts';
import { flipBit, ipPacket } from './ip-packets.ts';
import { type ClientCall, controlMessage, dataMessage, pppFrame, udpDatagram } from './l2tp-frames.ts';
import { type Client, newFlow } from './population.ts';

export interface Labelled {
  readonly label: string;
  readonly packet: OuterPacket;
}

export interface OuterSource {
  /** The next packet, of any client and kind. */
  next(): Labelled;
  /** More at once than a limit lets through. */
  flood(): Labelled[];
}

type Kind =
  | 'valid'
  | 'replayed'
  | 'held'
  | 'gap'
  | 'jump'
  | 'forged-high'
  | 'bad-icv'
  | 'truncated'
  | 'bad-padding'
  | 'padded'
  | 'next-header'
  | 'dummy'
  | 'tfc'
  | 'mutated-plain'
  | 'mutated-packet'
  | 'moved'
  | 'unknown-spi'
  | 'wrong-encapsulation'
  | 'other-listener'
  | 'ike'
  | 'keepalive'
  | 'short'
  | 'flood-l2tp'
  | 'flood-ppp';

const KINDS: readonly Weighted<Kind>[] = [
  [62, 'valid'],
  [4, 'replayed'],
  [4, 'held'],
  [1.5, 'gap'],
  [0.4, 'jump'],
  [2, 'forged-high'],
  [2, 'bad-icv'],
  [3, 'truncated'],
  [1, 'bad-padding'],
  [1, 'padded'],
  [1.5, 'next-header'],
  [1, 'dummy'],
  [2, 'tfc'],
  [4, 'mutated-plain'],
  [3, 'mutated-packet'],
  [1.5, 'moved'],
  [1, 'unknown-spi'],
  [1, 'wrong-encapsulation'],
  [0.5, 'other-listener'],
  [2, 'ike'],
  [0.7, 'keepalive'],
  [0.7, 'short'],
];

const REMEMBERED = 64;

interface Sealed {
  readonly client: Client;
  readonly sa: ClientSa;
  readonly octets: Uint8Array;
}

export function createOuterSource(dice: Dice, clients: readonly Client[]): OuterSource {
  const sent: Sealed[] = [];
  const held: Sealed[] = [];
  let plain: Uint8Array = new Uint8Array(64);

  const remember = (sealed: Sealed) => {
    if (sent.length < REMEMBERED) sent.push(sealed);
    else sent[dice.below(REMEMBERED)] = sealed;
    return sealed;
  };

  const sealedOf = (client: Client, sa: ClientSa, kind: Kind): Sealed => {
    if (kind === 'gap') sa.sequence += dice.pick([2, 31, 32, 33, 63, 64, 65, 200, 1023, 1024, 1100]);
    if (kind === 'jump') leap(dice, sa);
    sa.sequence += 1;
    const made = plainFor(dice, client, sa, kind);
    if (kind === 'mutated-plain') mutate(dice, made, plain);
    plain = made;
    return remember({ client, sa, octets: sealPlain(dice, sa, sa.sequence, made) });
  };

  return {
    next() {
      const kind = dice.weighted(KINDS);
      if (kind === 'ike' || kind === 'keepalive' || kind === 'short') return withoutEsp(dice, kind);
      const client = someClient(dice, clients);
      const sa = saOf(dice, client);
      if (sa === undefined) return withoutEsp(dice, 'ike');
      if (kind === 'replayed' && sent.length > 0) return wrapped(dice, dice.pick(sent), kind);
      if (kind === 'held') {
        held.push(sealedOf(client, sa, 'valid'));
        if (held.length > 12 || dice.happens(0.5)) {
          const [late] = held.splice(dice.below(held.length), 1);
          if (late !== undefined) return wrapped(dice, late, kind);
        }
      }
      const sealed = sealedOf(client, sa, kind);
      return wrapped(dice, { ...sealed, octets: spoiledPacket(dice, sealed, kind) }, kind);
    },
    flood() {
      const kind = dice.pick(['ike', 'flood-l2tp', 'flood-ppp', 'flood-ppp'] as const);
      const client = someClient(dice, clients);
      const sa = client.sas.find(({ tunnel }) => !tunnel);
      if (kind === 'ike' || sa === undefined) return Array.from({ length: 520 }, () => firstMessage(dice));
      return Array.from({ length: kind === 'flood-l2tp' ? 560 : 300 }, () =>
        wrapped(dice, sealedOf(client, sa, kind), kind),
      );
    },
  };
}

/** One that has SAs, if there is one. */
function someClient(dice: Dice, clients: readonly Client[]): Client {
  const client = dice.pick(clients);
  return client.sas.length > 0 ? client : (clients.find(({ sas }) => sas.length > 0) ?? client);
}

/** IKE from one source that asks for a new SA. */
function firstMessage(dice: Dice): Labelled {
  const octets = dice.filler(64);
  octets.fill(0, 8, 16);
  const flow = flowOf({
    local: { address: '198.51.100.1', port: 500 },
    remote: { address: '203.0.113.9', port: 500 },
  });
  return { label: 'flood-ike', packet: { via: 'ike', listener: 'main', flow, octets } };
}

/** Mostly the newest; sometimes one that is no longer declared. */
function saOf(dice: Dice, client: Client): ClientSa | undefined {
  if (client.retired.length > 0 && dice.happens(0.04)) return dice.pick(client.retired);
  if (client.sas.length === 0) return undefined;
  return dice.happens(0.7) ? client.sas[0] : dice.pick(client.sas);
}

/** Far ahead: without extended numbers towards their end, with them across it. */
function leap(dice: Dice, sa: ClientSa): void {
  const far = dice.pick([5000, 70_000, 2 ** 20, 2 ** 31 - 2000]);
  if (sa.esn) {
    const edge = Math.ceil((sa.sequence + 1) / 2 ** 32) * 2 ** 32 - dice.between(1, 40);
    sa.sequence = edge - sa.sequence < 2 ** 31 && edge > sa.sequence ? edge : sa.sequence + 2 ** 31 - 1;
  } else if (sa.sequence < 2 ** 32 - 2 ** 20) sa.sequence = Math.min(sa.sequence + far, 2 ** 32 - 50);
}

function plainFor(dice: Dice, client: Client, sa: ClientSa, kind: Kind): Uint8Array {
  const { encryption } = sa.entry;
  if (kind === 'dummy') return plainOf(encryption, dice.filler(dice.below(200)), 59);
  const { payload, nextHeader } = insideOf(dice, client, sa, kind);
  const said = kind === 'next-header' ? dice.pick([0, 4, 17, 41, 50, 58, 6, dice.below(256)]) : nextHeader;
  if (kind === 'tfc') return plainOf(encryption, payload, said, { tfc: dice.below(100) });
  if (kind === 'padded') {
    const padBlocks = dice.below(Math.floor(240 / blockOf(encryption)));
    return plainOf(encryption, payload, said, { padBlocks });
  }
  const plain = plainOf(encryption, payload, said);
  if (kind === 'bad-padding') {
    const at = dice.happens(0.5) ? plain.length - 2 : Math.max(0, plain.length - 3);
    plain[at] = dice.pick([0, 1, 2, 255, dice.below(256)]);
  }
  return plain;
}

/** An SA of the wrong mode gets the other mode's packets too, once in a while. */
function insideOf(dice: Dice, client: Client, sa: ClientSa, kind: Kind) {
  const tunnel = sa.tunnel !== dice.happens(0.02);
  const family = dice.happens(0.6) ? 4 : 6;
  if (tunnel) {
    const payload = clientPacket(dice, client, 0, family);
    return { payload, nextHeader: dice.happens(0.97) ? (family === 4 ? 4 : 41) : dice.pick([4, 41]) };
  }
  const { remotePort } = sa.entry.selector;
  const sourcePort = dice.happens(0.97) && remotePort !== 0 ? remotePort : undefined;
  return { payload: udpDatagram(dice, l2tpMessage(dice, client, family, kind), sourcePort), nextHeader: 17 };
}

const STRAY: ClientCall = {
  entry: {
    kind: 'call',
    session: '',
    trace: '',
    innerPorts: { local: 1701, remote: 1701 },
    ours: { tunnel: 11, call: 0 },
    theirs: { tunnel: 0, call: 0 },
    sequencing: false,
  },
  ns: 0,
};

const PPP_CONTROL = [0xc021, 0x8021, 0x8057, 0xc023, 0xc223, 0xc02d, 0x80fd, 0x0029, 0x00fd] as const;

function l2tpMessage(dice: Dice, client: Client, family: 4 | 6, kind: Kind): Uint8Array {
  if (kind === 'flood-l2tp' || dice.happens(0.03)) return controlMessage(dice);
  const call = client.calls.length > 0 && dice.happens(0.97) ? dice.pick(client.calls) : STRAY;
  if (kind === 'flood-ppp' || dice.happens(0.04)) {
    return dataMessage(dice, call, pppFrame(dice, dice.pick(PPP_CONTROL), dice.filler(dice.below(40))));
  }
  const protocol = family === 4 ? 0x0021 : 0x0057;
  return dataMessage(
    dice,
    call,
    pppFrame(dice, protocol, clientPacket(dice, client, call.entry.ours.call, family)),
  );
}

/** What a client sends on one of its links; mostly from an address that it has there. */
function clientPacket(dice: Dice, client: Client, call: number, family: 4 | 6): Uint8Array {
  return ipPacket(dice, { source: ownAddress(dice, client, call, family), destination: place(dice, family) });
}

const LINK_LOCAL = ['fe80::200:0:0:1', '::', 'fe80::7'] as const;

function ownAddress(dice: Dice, client: Client, call: number, family: 4 | 6): Uint8Array {
  const kind = dice.next();
  const link = client.links.find((one) => one.call === call);
  if (kind < 0.06 || link === undefined) return foreign(dice, family);
  const { routes, ipv4, ipv6 } = link;
  if (kind < 0.25 && routes !== undefined && routes.length > 0) {
    const octets = within(dice, dice.pick(routes));
    if (octets.length === (family === 4 ? 4 : 16)) return octets;
  }
  if (family === 4) return ipv4 === undefined ? foreign(dice, 4) : octetsOf(ipv4.address);
  if (kind < 0.3) return octetsOf(dice.pick(LINK_LOCAL));
  if (ipv6 === undefined) return foreign(dice, 6);
  return dice.happens(0.5) ? octetsOf(`${ipv6.prefix}5`) : within(dice, `${ipv6.prefix}/64`);
}

/** Bit flips, a piece of another packet, or a run of one octet. */
function mutate(dice: Dice, octets: Uint8Array, other: Uint8Array): void {
  const kind = dice.below(4);
  if (kind < 2) {
    for (let count = dice.between(1, 4); count > 0; count -= 1)
      flipBit(dice, octets, kind === 0 ? 100 : 4000);
    return;
  }
  const length = Math.min(dice.between(1, 40), other.length, octets.length);
  const to = dice.below(Math.min(200, octets.length - length + 1));
  if (kind === 2) octets.fill(dice.pick([0, 255, 1]), to, to + Math.min(length, 6));
  else {
    const from = dice.below(other.length - length + 1);
    octets.set(other.subarray(from, from + length), to);
  }
}

function spoiledPacket(dice: Dice, { octets }: Sealed, kind: Kind): Uint8Array {
  const copy = octets.slice();
  const view = new DataView(copy.buffer);
  switch (kind) {
    case 'forged-high':
      view.setUint32(4, (view.getUint32(4) + dice.pick([1, 64, 1024, 2 ** 20, 2 ** 31])) >>> 0);
      return copy;
    case 'bad-icv':
      flipBit(dice, copy.subarray(copy.length - dice.between(1, 32)), 1);
      return copy;
    case 'truncated':
      return copy.slice(0, dice.happens(0.5) ? dice.below(60) : dice.below(copy.length + 1));
    case 'mutated-packet':
      mutate(dice, copy, octets);
      return copy;
    case 'unknown-spi':
      view.setUint32(0, dice.pick([1, 0xffff_ffff, 0x0140_0100, 0x0200_0000 + dice.below(9)]));
      return copy;
    default:
      return copy;
  }
}

const FLOWS = new WeakMap<Client['flow'], OuterFlow>();

function flowOf(flow: Client['flow']): OuterFlow {
  let known = FLOWS.get(flow);
  if (known === undefined) {
    known = outerFlow(flow);
    FLOWS.set(flow, known);
  }
  return known;
}

function wrapped(dice: Dice, { client, sa, octets }: Sealed, kind: Kind): Labelled {
  if (kind === 'moved') client.flow = newFlow(dice, client.encapsulation);
  const udp = (sa.entry.encapsulation === 'udp') !== (kind === 'wrong-encapsulation');
  const via = kind === 'other-listener' ? 'ike' : udp ? 'nat-traversal' : 'esp';
  const tos = dice.happens(0.3) ? {} : { tos: dice.happens(0.7) ? dice.below(4) : dice.below(256) };
  const listener = via === 'esp' ? '' : 'main';
  return { label: kind, packet: { via, listener, flow: flowOf(client.flow), octets, ...tos } };
}

function withoutEsp(dice: Dice, kind: 'ike' | 'keepalive' | 'short'): Labelled {
  const flow = flowOf(newFlow(dice, 'udp'));
  if (kind === 'keepalive') {
    const octets = dice.pick([[0xff], [0xff], [0xff], [0xfe], [0xff, 0xff]]);
    return {
      label: kind,
      packet: { via: 'nat-traversal', listener: 'main', flow, octets: Uint8Array.from(octets) },
    };
  }
  const via = dice.pick(['ike', 'nat-traversal', 'nat-traversal'] as const);
  if (kind === 'short') {
    const octets = dice.filler(dice.below(12));
    return { label: kind, packet: { via: dice.pick(['esp', via]), listener: 'main', flow, octets } };
  }
  const octets = dice.filler(dice.between(20, 200));
  if (via === 'nat-traversal') octets.fill(0, 0, 4);
  const cookieAt = via === 'ike' ? 8 : 12;
  if (dice.happens(0.7)) octets.fill(0, cookieAt, cookieAt + 8);
  return { label: kind, packet: { via, listener: 'main', flow, octets } };
}
