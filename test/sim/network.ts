import type { Endpoint } from '@culvert/contracts';
import type { Chance } from './chance.ts';
import type { VirtualClock } from './clock.ts';

/** How datagrams fare on their way; all harmless unless named. */
export interface LinkFaults {
  /** Probability that a datagram vanishes. */
  loss: number;
  /** Probability that it arrives twice. */
  duplicate: number;
  /** A datagram may be overtaken by up to this many of its successors' delays. */
  reorder: number;
  delayMs: number;
  /** How long a NAT keeps a mapping before it gives the same inside socket another outside port; 0: for ever. */
  natRebindEveryMs: number;
}

export interface Datagram {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly octets: Uint8Array;
}

export interface SimSocket {
  readonly local: Endpoint;
  send(to: Endpoint, octets: Uint8Array): void;
  close(): void;
}

export interface Network {
  /** Change at any time. */
  readonly faults: LinkFaults;
  bind(local: Endpoint, receive: (datagram: Datagram) => void): SimSocket;
  /** Sockets on these addresses reach the rest of the world through `outside` (RFC 4787, port restricted by nothing). */
  nat(outside: string, inside: readonly string[]): void;
  /** Sees every datagram that is delivered, with the addresses as the receiver sees them. */
  tap(listener: (datagram: Datagram) => void): void;
  readonly counts: { sent: number; delivered: number; lost: number; unreachable: number };
}

interface Mapping {
  readonly inside: Endpoint;
  outside: Endpoint;
  since: number;
}

const FIRST_NAT_PORT = 20_000;

export function simNetwork(clock: VirtualClock, chance: Chance, faults: Partial<LinkFaults> = {}): Network {
  const settings: LinkFaults = {
    loss: 0,
    duplicate: 0,
    reorder: 0,
    delayMs: 1,
    natRebindEveryMs: 0,
    ...faults,
  };
  const sockets = new Map<string, (datagram: Datagram) => void>();
  const outsideOf = new Map<string, string>();
  const mappings = new Map<string, Mapping>();
  const taps: ((datagram: Datagram) => void)[] = [];
  const counts = { sent: 0, delivered: 0, lost: 0, unreachable: 0 };
  let nextPort = FIRST_NAT_PORT;

  const rebind = (mapping: Mapping) => {
    mapping.outside = { address: mapping.outside.address, port: nextPort };
    mapping.since = clock.now();
    nextPort += 1;
  };
  /** The source as the world outside sees it. */
  const translated = (from: Endpoint, to: Endpoint): Endpoint => {
    const outside = outsideOf.get(from.address);
    if (outside === undefined || outsideOf.get(to.address) === outside) return from;
    let mapping = mappings.get(key(from));
    if (mapping === undefined) {
      mapping = { inside: from, outside: { address: outside, port: 0 }, since: clock.now() };
      rebind(mapping);
      mappings.set(key(from), mapping);
    }
    const { natRebindEveryMs } = settings;
    if (natRebindEveryMs > 0 && clock.now() - mapping.since >= natRebindEveryMs) rebind(mapping);
    return mapping.outside;
  };
  /** Where a datagram to a NAT's outside port really goes; a port without a mapping leads nowhere. */
  const inward = (to: Endpoint): Endpoint | undefined => {
    if (![...outsideOf.values()].includes(to.address)) return to;
    for (const mapping of mappings.values()) if (key(mapping.outside) === key(to)) return mapping.inside;
    return undefined;
  };
  const arrive = (from: Endpoint, to: Endpoint, octets: Uint8Array) => {
    const inside = inward(to);
    const receive = inside === undefined ? undefined : sockets.get(key(inside));
    if (inside === undefined || receive === undefined) {
      counts.unreachable += 1;
      return;
    }
    counts.delivered += 1;
    const datagram = { from, to: inside, octets: octets.slice() };
    for (const tap of taps) tap(datagram);
    receive(datagram);
  };
  const send = (from: Endpoint, to: Endpoint, octets: Uint8Array) => {
    counts.sent += 1;
    const source = translated(from, to);
    const copy = octets.slice();
    if (chance.happens(settings.loss)) {
      counts.lost += 1;
      return;
    }
    const copies = chance.happens(settings.duplicate) ? 2 : 1;
    for (let index = 0; index < copies; index += 1) {
      const late =
        settings.reorder === 0 ? 0 : chance.below(settings.reorder + 1) * Math.max(1, settings.delayMs);
      clock.after(settings.delayMs + late, () => arrive(source, to, copy));
    }
  };
  return {
    faults: settings,
    counts,
    bind(local, receive) {
      if (sockets.has(key(local))) throw new Error(`${key(local)} is taken`);
      sockets.set(key(local), receive);
      return {
        local,
        send: (to, octets) => send(local, to, octets),
        close: () => void sockets.delete(key(local)),
      };
    },
    nat(outside, inside) {
      for (const address of inside) outsideOf.set(address, outside);
    },
    tap: (listener) => void taps.push(listener),
  };
}

function key(endpoint: Endpoint): string {
  return `${endpoint.address}|${endpoint.port}`;
}
