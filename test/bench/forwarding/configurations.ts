import type { Suite } from '../../../services/edge/bench/sessions.ts';
import type { Options, Peer } from './options.ts';
import type { Room, Tunnel } from './tunnel.ts';
import { openBare } from './tunnels/bare.ts';
import { openGateway, openSoftether } from './tunnels/dialled.ts';
import { openLibipsec } from './tunnels/libipsec.ts';
import { openOpenvpn } from './tunnels/openvpn.ts';
import { OWN, type OwnSettings, openOwn } from './tunnels/own.ts';
import { openPrototype } from './tunnels/prototype.ts';
import { openWireguardGo } from './tunnels/wireguard-go.ts';

export const MANY_SESSIONS = 10_000;

export type ConfigurationName =
  | 'own'
  | 'prototype'
  | Peer
  | 'own-cbc-sha1'
  | 'own-cbc-sha256'
  | 'own-openssl'
  | 'own-split'
  | 'prototype-split'
  | 'own-one-queue'
  | 'own-two-queues'
  | 'own-many-sessions'
  | 'engine'
  | 'own-ipv6'
  | 'own-dialled'
  | 'bare';

export interface Configuration {
  readonly name: ConfigurationName;
  /** Whose absence takes the rows away that ask for it. */
  readonly needs?: 'prototype' | Peer;
  /** Each datagram crosses the cable by itself. */
  readonly split?: true;
  /** Addresses that carry the spread load. */
  readonly addresses?: number;
  open(room: Room): Promise<Tunnel>;
}

const own = (settings: Partial<OwnSettings>) => (room: Room) => openOwn(room, { ...OWN, ...settings });
const suite = (name: Suite) => own({ suite: name });
const prototype =
  (...flags: readonly string[]) =>
  (room: Room) =>
    openPrototype(room, ['-C', 'gcm', ...flags]);

/** The engine without any tunnel. */
const alone = (): Promise<Tunnel> =>
  Promise.resolve({ pids: [], paths: [], device: '', close: () => Promise.resolve() });

/** In the order of measurement. The bare cable is last: it carries what a tenth of our capacity is. */
export const CONFIGURATIONS: readonly Configuration[] = [
  { name: 'own', open: own({}) },
  { name: 'prototype', needs: 'prototype', open: prototype() },
  { name: 'openvpn', needs: 'openvpn', open: openOpenvpn },
  { name: 'libipsec', needs: 'libipsec', open: openLibipsec },
  { name: 'wireguard-go', needs: 'wireguard-go', open: openWireguardGo },
  { name: 'own-cbc-sha1', open: suite('aes-cbc-256+hmac-sha1-96') },
  { name: 'own-cbc-sha256', open: suite('aes-cbc-256+hmac-sha2-256-128') },
  { name: 'own-openssl', open: own({ backend: 'openssl' }) },
  { name: 'own-split', split: true, open: own({}) },
  // As measured for the goals: with fewer messages for each call it is the slower for single datagrams.
  { name: 'prototype-split', needs: 'prototype', split: true, open: prototype('-m', '32') },
  { name: 'own-one-queue', open: own({ sessions: 2 }) },
  { name: 'own-two-queues', open: own({ sessions: 2, workers: 2 }) },
  { name: 'own-many-sessions', addresses: MANY_SESSIONS, open: own({ sessions: MANY_SESSIONS }) },
  { name: 'engine', open: alone },
  { name: 'own-ipv6', open: own({ family: 6 }) },
  { name: 'own-dialled', needs: 'softether', open: openGateway },
  { name: 'softether', needs: 'softether', open: openSoftether },
  { name: 'bare', open: openBare },
];

/** Why a configuration cannot be measured here, if it cannot. */
export function absence({ needs }: Configuration, options: Options): string | undefined {
  if (needs === undefined) return undefined;
  if (needs === 'prototype') return options.prototype === undefined ? 'no --prototype' : undefined;
  return options.peers.includes(needs) ? undefined : 'not among --peers';
}
