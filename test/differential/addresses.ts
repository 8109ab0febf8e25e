/** The map of the world: who lives where, as text for declarations and as octets for packets. */
import { ipv4Octets, isIpv4, parseAddress, parsePrefix } from '@culvert/wire/ip';
import type { Dice, Weighted } from './dice.ts';

export const GATEWAY4 = '10.99.0.1';
export const LOCALS = ['198.51.100.1', '2001:db8:7::1', '10.99.0.1', 'fe80::1', '192.168.7.255'] as const;
export const POOLS = ['10.99.0.0/16', '2001:db8:99::/48'] as const;
export const CORPORATE = ['192.0.2.0/24', '2001:db8:80::/48', '10.48.0.0/13', '2001:db8:50::/48'] as const;
/** What clients may have behind them; they nest, some have bits set behind their length, one is a host's. */
export const ROUTES = [
  '10.50.0.0/16',
  '10.50.128.0/17',
  '10.50.128.64/26',
  '10.50.200.7/13',
  '10.51.1.1/32',
  '10.99.0.12/32',
  '2001:db8:50::/48',
  '2001:db8:50:8000::/49',
  '2001:db8:50:8000::/64',
  '2001:db8:50:8000::7/128',
  '2001:db8:99:2::/64',
  '2001:db8:50:8000:ff::/72',
] as const;
const SERVERS4 = ['192.0.2.80', '192.0.2.81', '192.0.2.200'] as const;
const SERVERS6 = ['2001:db8:80::1', '2001:db8:80:1::2'] as const;

/** Clients by number, from 0 up. */
export const CLIENTS_MAX = 8;
export const address4 = (client: number) => `10.99.0.${10 + client}`;
export const prefix6 = (client: number) => `2001:db8:99:${client + 1}::`;

const known = new Map<string, Uint8Array>();

/** Four or sixteen octets. */
export function octetsOf(text: string): Uint8Array {
  let octets = known.get(text);
  if (octets === undefined) {
    const read = parseAddress(text);
    if (!read.ok) throw new Error(text);
    octets = isIpv4(read.value) ? ipv4Octets(read.value) : read.value;
    known.set(text, octets);
  }
  return octets;
}

/** Any address within a prefix; the ends of it more often than others. */
export function within(dice: Dice, prefix: string): Uint8Array {
  const read = parsePrefix(prefix);
  if (!read.ok) throw new Error(prefix);
  const { address, bits } = read.value;
  const octets = address.slice();
  const fill = dice.pick([0, 0xff, undefined, undefined]);
  for (let index = 0; index < 16; index += 1) {
    const free = 0xff >>> Math.min(8, Math.max(0, bits - index * 8));
    octets[index] = (octets[index] ?? 0) | ((fill ?? dice.below(256)) & free);
  }
  return isIpv4(octets) ? ipv4Octets(octets) : octets;
}

type Place = (dice: Dice) => Uint8Array;

const text =
  (choices: readonly string[]): Place =>
  (dice) =>
    octetsOf(dice.pick(choices));

/** Where clients' packets go. */
const PLACES4: readonly Weighted<Place>[] = [
  [60, text(SERVERS4)],
  [5, text([GATEWAY4])],
  [3, text(['198.51.100.1', '192.168.7.255'])],
  [5, (dice) => octetsOf(address4(dice.below(CLIENTS_MAX)))],
  [3, (dice) => within(dice, '10.99.0.0/16')],
  [6, (dice) => within(dice, '10.50.0.0/15')],
  [3, text(['224.0.0.1', '239.255.255.250', '255.255.255.255'])],
  [5, text(['127.0.0.1', '0.0.0.0', '169.254.1.1', '240.0.0.1', '255.255.255.254'])],
  [3, (dice) => dice.filler(4)],
];
const PLACES6: readonly Weighted<Place>[] = [
  [60, text(SERVERS6)],
  [4, text(['2001:db8:7::1'])],
  [5, (dice) => within(dice, `${prefix6(dice.below(CLIENTS_MAX))}/64`)],
  [3, (dice) => within(dice, '2001:db8:99::/48')],
  [6, (dice) => within(dice, '2001:db8:50::/48')],
  [8, text(['ff02::1', 'ff02::2', 'ff02::1:2', 'fe80::1', 'fe80::5', 'febf::1'])],
  [3, text(['::', '::1', '::ffff:192.0.2.1', '::192.0.2.1', 'fec0::1'])],
  [3, (dice) => dice.filler(16)],
];

export function place(dice: Dice, family: 4 | 6): Uint8Array {
  const octets = dice.weighted(family === 4 ? PLACES4 : PLACES6)(dice);
  // The mapped address of a text is four octets here, sixteen on the wire of IPv6.
  if (octets.length === (family === 4 ? 4 : 16)) return octets;
  return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...octets);
}

/** What a client that lies gives as its own address. */
export function foreign(dice: Dice, family: 4 | 6): Uint8Array {
  if (dice.happens(0.5)) return place(dice, family);
  const other = dice.below(CLIENTS_MAX);
  return family === 4 ? octetsOf(address4(other)) : octetsOf(`${prefix6(other)}5`);
}
