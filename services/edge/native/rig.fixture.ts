/** A native engine with nothing around it, and clients that can seal and open: for the tests of what it does. */
import type { ForwardEntry, LinkEntry, SaEntry } from '@culvert/contracts';
import { createIvSource, newWindow, openEsp, prepareEsp, sealEsp } from '../esp/index.ts';
import type { EngineEvent, OuterFlow } from '../pipeline/index.ts';
import { outerFlow } from '../pipeline/index.ts';
import {
  type AccountSize,
  accountOctets,
  createWriter,
  encodeDeclaration,
  encodePast,
  encodePolicy,
  type NativeEngine,
  type NativeEngineOptions,
  readAccount,
  readRecords,
} from './engine/index.ts';
import { native } from './index.ts';

const ivs = createIvSource({ nodeId: 9, generation: 1, cbcKey: new Uint8Array(32).fill(5) });
export const AT = 1_000_000;
export const CALL = 7;

export interface ClientOptions {
  readonly tunnel?: boolean;
  readonly esn?: boolean;
  readonly sequencing?: boolean;
  readonly compressed?: boolean;
  readonly encryption?: SaEntry['encryption'];
  readonly mtuToPeer?: number;
  readonly policy?: LinkEntry['policy'];
  readonly encapsulation?: SaEntry['encapsulation'];
}

export interface Client {
  readonly session: string;
  readonly sa: SaEntry;
  readonly entries: readonly ForwardEntry[];
  readonly ipv4: string;
  readonly ipv6: string;
}

const ANY = { protocol: 0, fromPort: 0, toPort: 65_535 };
const EVERYTHING = [
  { ...ANY, from: '0.0.0.0', to: '255.255.255.255' },
  { ...ANY, from: '::', to: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' },
];

/** Clients of different numbers share nothing. */
export function clientOf(number: number, options: ClientOptions = {}): Client {
  const session = number.toString(16).padStart(16, '0');
  const { encryption = 'aes-gcm-16-128', tunnel = false, encapsulation = 'udp' } = options;
  const gcm = encryption.startsWith('aes-gcm');
  const keys = (seed: number) => ({
    encryption: filled(
      encryption === 'aes-gcm-16-128' || encryption === 'aes-cbc-128' ? 16 : 32,
      number + seed,
    ),
    integrity: filled(gcm ? 0 : 32, number * 3 + seed),
    salt: filled(gcm ? 4 : 0, number + seed),
  });
  const [high, low] = [(number >>> 8) & 0xff, number & 0xff];
  const named = { session, trace: `t${number}` };
  const sa: SaEntry = {
    ...{ kind: 'sa', ...named, inboundSpi: 0x1_0000 + number, outboundSpi: 0x8_0000 + number },
    ...{ encryption, integrity: gcm ? 'none' : 'hmac-sha2-256-128', inbound: keys(1), outbound: keys(101) },
    flow: {
      local: { address: '192.0.2.1', port: 4500 },
      remote: { address: `198.18.${high}.${low}`, port: 40_000 },
    },
    encapsulation,
    selector: { localPort: 1701, remotePort: 1701 },
    ...(options.esn === true && { esn: true }),
    ...(tunnel && { tunnel: { local: EVERYTHING, remote: EVERYTHING } }),
    ...{ createdAt: 1, expiresAt: 1e15 },
  };
  const link: LinkEntry = {
    ...{ kind: 'link', ...named, call: tunnel ? 0 : CALL, user: 'u' },
    ipv4: { address: `10.${number >>> 16}.${high}.${low}` },
    ipv6: { prefix: `2001:db8:${number.toString(16)}::`, prefixLength: 64, interfaceId: new Uint8Array(8) },
    ...{ mtuToPeer: options.mtuToPeer ?? 1400, mruFromPeer: 1400 },
    ...{ pfcToPeer: options.compressed ?? false, acfcToPeer: options.compressed ?? false },
    ...(options.policy && { policy: options.policy }),
  };
  const call: ForwardEntry = {
    ...{ kind: 'call', ...named, ours: { tunnel: 5, call: CALL }, theirs: { tunnel: 6, call: 8 } },
    ...{ innerPorts: { local: 1701, remote: 1701 }, sequencing: options.sequencing ?? false },
  };
  const ipv4 = link.ipv4?.address ?? '';
  const ipv6 = `2001:db8:${number.toString(16)}::9`;
  return { session, sa, entries: tunnel ? [sa, link] : [sa, call, link], ipv4, ipv6 };
}

function filled(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (seed * 31 + index * 17) & 0xff);
}

/** A packet for the tun, with the virtio header in front of it. */
export interface TunPacket {
  readonly packet: Uint8Array;
  readonly gsoType: number;
  readonly gsoSize: number;
  readonly flags: number;
}

export interface PeerPacket {
  readonly flow: OuterFlow;
  readonly tos: number;
  readonly octets: Uint8Array;
}

export type Rig = ReturnType<typeof createRig>;

export function createRig(
  change: Partial<NativeEngineOptions> & { readonly memory?: ArrayBuffer | SharedArrayBuffer } = {},
) {
  const { memory: given, ...options } = change;
  const size: AccountSize = {
    sessionsMax: options.sessionsMax ?? 64,
    sasMax: options.sasMax ?? 128,
  };
  const memory = given ?? new ArrayBuffer(accountOctets(size));
  const engine: NativeEngine = new (native().Engine)({
    ...size,
    backend: '',
    ivPrefix: 0x0100_0001,
    ivKey: new Uint8Array(32).fill(1),
    policy: encodePolicy({
      ...{ localAddresses: new Set<string>(), pools: [], corporate: [], clientToClient: true },
      outerMtu: 1500,
    }),
    replayWindow: 1024,
    account: new Uint8Array(memory),
    past: encodePast(),
    coalesce: true,
    coalesceUdp: true,
    segment: true,
    ...options,
  });
  const tun: TunPacket[] = [];
  const peers: PeerPacket[] = [];
  const events: EngineEvent[] = [];
  const taken = () => {
    const records = engine.takeRecords();
    if (records === undefined) return;
    const sink = {
      ike: () => undefined,
      l2tp: () => undefined,
      ppp: () => undefined,
      event: (event: EngineEvent) => void events.push(event),
      outer: (flow: OuterFlow, _: unknown, octets: Uint8Array, tos: number) =>
        void peers.push({ flow, tos, octets }),
      inner: (packet: Uint8Array) => void tun.push(withHeader(packet)),
    };
    readRecords(records, sink, ['l']);
  };
  return {
    engine,
    memory,
    account: readAccount(memory, size),
    events,
    declare(client: Client, entries = client.entries, at = AT): void {
      const { session } = client;
      const refused = (why: string) => void events.push({ type: 'entry-refused', session, why });
      const declaration = { session, bucket: 'b', entries };
      const why = engine.declare(encodeDeclaration(declaration, 0, refused), at);
      if (why !== undefined) throw new Error(why);
      taken();
    },
    grant(client: Client, first = 1, end = 1_000_000, at = AT): void {
      engine.grant(client.sa.inboundSpi, first, end, at);
      taken();
    },
    /** The whole batch at once, then what came of it. */
    outer(client: Client, packets: readonly Uint8Array[], at = AT): readonly TunPacket[] {
      const out = createWriter();
      for (const octets of packets) {
        for (const octet of [client.sa.encapsulation === 'udp' ? 1 : 2, 0, 0]) out.u8(octet);
        out.flow(outerFlow(client.sa.flow));
        out.u32(octets.length);
        out.octets(octets);
      }
      engine.outer(out.taken(), at);
      taken();
      return tun.splice(0);
    },
    inner(packet: Uint8Array, segment = 0, at = AT): readonly PeerPacket[] {
      engine.inner(packet, at, segment);
      taken();
      return peers.splice(0);
    },
    takeTun: () => tun.splice(0),
    takePeers: () => peers.splice(0),
    taken,
  };
}

function withHeader(packet: Uint8Array): TunPacket {
  const header = new DataView(packet.buffer, packet.byteOffset - 10, 10);
  return {
    ...{ packet, flags: header.getUint8(0), gsoType: header.getUint8(1) },
    gsoSize: header.getUint16(4, true),
  };
}

/** Everything a client does with its SA. */
export function sealerOf({ sa }: Client) {
  const transform = prepareEsp(sa.encryption, sa.integrity, sa.inbound, sa.esn);
  let sequence = 0;
  const seal = (payload: Uint8Array, nextHeader: number, number?: number) => {
    sequence = number ?? sequence + 1;
    return sealEsp(transform, { spi: sa.inboundSpi, sequence, nextHeader, payload }, ivs);
  };
  return {
    seal,
    /** A user packet as the client sends it. */
    user(packet: Uint8Array, number?: number): Uint8Array {
      const ipv4 = (packet[0] ?? 0) >>> 4 === 4;
      if (sa.tunnel !== undefined) return seal(packet, ipv4 ? 4 : 41, number);
      const datagram = new Uint8Array(8 + 8 + 4 + packet.length);
      const view = new DataView(datagram.buffer);
      [1701, 1701, datagram.length, 0, 0x4002, datagram.length - 8, 5, CALL, 0xff03].forEach(
        (word, index) => {
          view.setUint16(index * 2, word);
        },
      );
      view.setUint16(18, ipv4 ? 0x21 : 0x57);
      datagram.set(packet, 20);
      return seal(datagram, 17, number);
    },
  };
}

export interface Arrived {
  readonly packet: Uint8Array;
  readonly sequence: number;
  /** Of the L2TP data message. */
  readonly ns: number | undefined;
  readonly pppOctets: number;
}

/** A user packet as the client gets it; throws when anything around it is wrong. */
export function openedBy({ sa, entries }: Client, octets: Uint8Array): Arrived {
  const transform = prepareEsp(sa.encryption, sa.integrity, sa.outbound, sa.esn);
  const opened = openEsp(transform, newWindow(64), octets);
  if (!opened.ok) throw new Error(opened.fault);
  const { payload, sequence, nextHeader } = opened;
  if (sa.tunnel !== undefined) {
    if (nextHeader !== ((payload[0] ?? 0) >>> 4 === 4 ? 4 : 41)) throw new Error('next header');
    return { packet: payload, sequence, ns: undefined, pppOctets: 0 };
  }
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const sequencing = entries.some((entry) => entry.kind === 'call' && entry.sequencing);
  const same = (what: string, got: number, wanted: number) => {
    if (got !== wanted) throw new Error(`${what} is ${got}, not ${wanted}`);
  };
  same('next header', nextHeader, 17);
  same('UDP length', view.getUint16(4), payload.length);
  same('L2TP flags', view.getUint16(8), sequencing ? 0x4802 : 0x4002);
  same('L2TP length', view.getUint16(10), payload.length - 8);
  same('tunnel', view.getUint16(12), 6);
  same('call', view.getUint16(14), 8);
  const pppAt = sequencing ? 20 : 16;
  let at = view.getUint16(pppAt) === 0xff03 ? pppAt + 2 : pppAt;
  let protocol = view.getUint8(at++);
  if (protocol % 2 === 0) protocol = protocol * 256 + view.getUint8(at++);
  const packet = payload.subarray(at);
  same('PPP protocol', protocol, (packet[0] ?? 0) >>> 4 === 4 ? 0x21 : 0x57);
  return { packet, sequence, ns: sequencing ? view.getUint16(16) : undefined, pppOctets: at - pppAt };
}
