/** Entries of sessions as the services would declare them, of every kind that an engine takes. */
import type { CallEntry, LinkEntry, SaEntry } from '@culvert/contracts';
import { address4, CLIENTS_MAX, prefix6, ROUTES } from './addresses.ts';
import { ENCRYPTIONS, INTEGRITIES, isGcm, keysFor } from './client-sa.ts';
import type { Dice } from './dice.ts';
import { PORTS } from './ip-packets.ts';

/** The fixed part of a client: what names it in every entry. */
export interface Identity {
  readonly index: number;
  readonly session: string;
  readonly trace: string;
}

export function identityOf(index: number): Identity {
  return {
    index,
    session: `01400000000000${(index + 16).toString(16)}`,
    trace: `00-4bf92f3577b34da6a3ce929d0e0e47${(index + 16).toString(16)}-00f067aa0ba902b7-01`,
  };
}

export interface SaChoice {
  readonly inboundSpi: number;
  readonly flow: SaEntry['flow'];
  readonly encapsulation: SaEntry['encapsulation'];
  readonly tunnel: boolean;
  readonly at: number;
}

export function makeSa(dice: Dice, identity: Identity, choice: SaChoice): SaEntry {
  const { index, session, trace } = identity;
  const encryption = dice.pick(ENCRYPTIONS);
  const integrity = isGcm(encryption)
    ? 'none'
    : dice.happens(0.4)
      ? 'hmac-sha2-256-128'
      : dice.pick(INTEGRITIES);
  const { inboundSpi, flow, encapsulation, tunnel, at } = choice;
  return {
    kind: 'sa',
    session,
    trace,
    inboundSpi,
    outboundSpi: (0x9000_0000 + ((inboundSpi * 7) & 0xffff)) >>> 0,
    encryption,
    integrity,
    inbound: keysFor(dice, encryption, integrity),
    outbound: keysFor(dice, encryption, integrity),
    flow,
    encapsulation,
    selector: {
      localPort: dice.happens(0.02) ? 1700 : dice.pick([1701, 0]),
      remotePort: dice.pick([0, 0, 1701]),
    },
    createdAt: at - dice.below(3),
    expiresAt: at + (dice.happens(0.06) ? dice.between(0, 4000) : 100_000_000),
    ...(dice.happens(0.35) && { esn: true }),
    ...(tunnel && { tunnel: selectorsOf(dice, index) }),
  };
}

const EVERYTHING = [
  { from: '0.0.0.0', to: '255.255.255.255' },
  { from: '::', to: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' },
] as const;

const FAR = [
  { from: '192.0.2.0', to: '192.0.2.127' },
  { from: '192.0.2.80', to: '192.0.2.80' },
  { from: '10.48.0.0', to: '10.55.255.255' },
  { from: '2001:db8:80::', to: '2001:db8:80:1::2' },
  { from: '2001:db8:50::', to: '2001:db8:50:ffff:ffff:ffff:ffff:ffff' },
] as const;

function selectorsOf(dice: Dice, index: number) {
  const own = index + CLIENTS_MAX;
  const near = [
    { from: address4(own), to: address4(own) },
    { from: prefix6(own), to: `${prefix6(own).slice(0, -1)}ffff:ffff:ffff:ffff` },
    { from: '10.50.0.0', to: '10.51.255.255' },
  ];
  const side = (narrow: readonly { from: string; to: string }[]) => {
    if (dice.happens(0.7)) return EVERYTHING.map((range) => ({ ...range, ...portsOf(dice, 0.1) }));
    return Array.from({ length: dice.between(1, 4) }, () => ({
      ...dice.pick(narrow),
      ...portsOf(dice, 0.4),
    }));
  };
  return { local: side(FAR), remote: side(near) };
}

/** Protocol and ports of a selector or a rule; `narrow`: how often they are not all. */
function portsOf(dice: Dice, narrow: number) {
  if (!dice.happens(narrow)) return { protocol: 0, fromPort: 0, toPort: 65_535 };
  const protocol = dice.pick([0, 1, 6, 6, 17, 17, 58, 132, 136, 33, 47]);
  // RFC 4301 §4.4.1.1: type and code stand for ports, so that echo has 0x0800 and 0x8000.
  const port = protocol === 1 ? 0x0800 : protocol === 58 ? 0x8000 : dice.pick(PORTS);
  const whole = dice.happens(0.4);
  return {
    protocol,
    fromPort: whole ? 0 : port,
    toPort: whole ? 65_535 : Math.min(65_535, port + dice.below(400)),
  };
}

const FIRST_CALL = 12;

/** Tunnel and call numbers of a session's n-th call. */
export function makeCall(dice: Dice, identity: Identity, number: number): CallEntry {
  const { index, session, trace } = identity;
  const remote = dice.happens(0.8) ? 1701 : 49_152;
  return {
    kind: 'call',
    session,
    trace,
    innerPorts: { local: 1701, remote },
    ours: { tunnel: 11 + index, call: FIRST_CALL + number },
    theirs: { tunnel: 21 + index, call: 300 * (number + 1) },
    sequencing: dice.happens(0.4),
  };
}

const MTUS = [1400, 1400, 1400, 1400, 1400, 1500, 1500, 1500, 1280, 1300, 1000, 576, 128, 40] as const;

/** A link of a call, or of the session's tunnel-mode SAs when `call` is 0. */
export function makeLink(dice: Dice, identity: Identity, call: number): LinkEntry {
  const { session, trace, index } = identity;
  // Sometimes what another client has already; a second link has addresses of its own.
  const own = index + (call === 0 ? CLIENTS_MAX : call === FIRST_CALL ? 0 : 2 * CLIENTS_MAX);
  const mine = dice.happens(0.97) ? own : dice.below(CLIENTS_MAX);
  const routes = dice.happens(0.25)
    ? Array.from({ length: dice.between(0, 3) }, () => dice.pick(ROUTES))
    : undefined;
  return {
    kind: 'link',
    session,
    trace,
    call,
    user: `user-${index}`,
    mtuToPeer: dice.pick(MTUS),
    mruFromPeer: dice.pick(MTUS),
    pfcToPeer: dice.happens(0.5),
    acfcToPeer: dice.happens(0.5),
    ...(dice.happens(0.9) && { ipv4: { address: address4(mine) } }),
    ...(dice.happens(0.75) && {
      ipv6: { prefix: prefix6(mine), prefixLength: 64, interfaceId: dice.filler(8) },
    }),
    ...(routes && { routes }),
    ...(dice.happens(0.45) && { policy: linkPolicy(dice) }),
  };
}

const RULE_PREFIXES = [
  '192.0.2.0/24',
  '192.0.2.80/32',
  '10.48.0.0/13',
  '0.0.0.0/0',
  '0.0.0.0/0',
  '::/0',
  '::/0',
  '2001:db8:80::/48',
  '2001:db8:80::/63',
  '2001:db8:99::/48',
] as const;

export function linkPolicy(dice: Dice) {
  const rate = () => ({
    octetsPerSecond: dice.pick([1, 1000, 20_000, 123_457, 10_000_000]),
    burstOctets: dice.pick([1500, 1501, 4000, 100_000]),
  });
  return {
    ...(dice.happens(0.7) && { rules: rules(dice) }),
    ...(dice.happens(0.35) && { rateFromPeer: rate() }),
    ...(dice.happens(0.35) && { rateToPeer: rate() }),
    ...(dice.happens(0.4) && { dscp: dice.below(64) }),
  };
}

function rules(dice: Dice) {
  return Array.from({ length: dice.pick([0, 1, 3, 5, 5, 8]) }, () => ({
    permit: dice.happens(0.85),
    prefix: dice.pick(RULE_PREFIXES),
    class: dice.below(4),
    ...portsOf(dice, 0.5),
  }));
}
