import { parseAddress } from '@culvert/wire/ip';
import { Client, type ClientOptions } from '../peer/client.ts';
import { modern, type PeerProfile } from '../peer/profile.ts';
import { type SimSocket, simProcess, type World } from '../sim/index.ts';
import { GATEWAY, PASSWORD, PSK, USER } from './gateway.ts';

export interface SimClient {
  readonly client: Client;
  readonly address: string;
  /** IP packets that came out of the tunnel. */
  readonly packets: Uint8Array[];
  /** Errors that the client's own code met: the gateway said something no peer may say. */
  readonly faults: unknown[];
  /** Lets go of its address, so that another client may have it. */
  close(): void;
}

export interface DialIn {
  readonly address: string;
  readonly profile?: PeerProfile;
  readonly psk?: string;
  readonly user?: string;
  readonly password?: string;
  readonly gateway?: string;
}

const SET_UP_LIMIT_MS = 60_000;

/** A client in the simulated world, not yet dialling. */
export function simClient(world: World, options: DialIn): SimClient {
  const process = simProcess(`client ${options.address}`, world);
  const gateway = options.gateway ?? GATEWAY;
  const sockets = new Map<number, SimSocket>();
  const packets: Uint8Array[] = [];
  const faults: unknown[] = [];
  const settings: ClientOptions = {
    profile: options.profile ?? modern,
    psk: options.psk ?? PSK,
    user: options.user ?? USER,
    password: options.password ?? PASSWORD,
    address: plainOctets(options.address),
    gateway: plainOctets(gateway),
  };
  const client = new Client(settings, {
    clock: process.clock,
    entropy: process.entropy,
    send: ({ port, octets }) => sockets.get(port)?.send({ address: gateway, port }, octets),
    packet: (octets) => packets.push(octets.slice()),
  });
  for (const port of [500, 4500, 0] as const) {
    const socket = world.network.bind({ address: options.address, port }, (datagram) => {
      const received = client.receive({ port, octets: datagram.octets });
      world.clock.hold(received).catch((error: unknown) => void faults.push(error));
    });
    sockets.set(port, socket);
  }
  const close = () => {
    for (const socket of sockets.values()) socket.close();
  };
  return { client, address: options.address, packets, faults, close };
}

/** Dials and waits until the link carries user packets, or the client gave up. */
export async function dialIn(world: World, options: DialIn): Promise<SimClient> {
  const dialled = simClient(world, options);
  const { client } = dialled;
  client.dial();
  const done = () => client.up || client.ended !== undefined || client.ike.stage === 'failed';
  await world.until(done, SET_UP_LIMIT_MS);
  return dialled;
}

/** 4 octets for IPv4 instead of the mapped 16. */
export function plainOctets(text: string): Uint8Array {
  const address = parseAddress(text);
  if (!address.ok) throw new Error(`${text} is not an address`);
  return text.includes(':') ? address.value : address.value.slice(12);
}
