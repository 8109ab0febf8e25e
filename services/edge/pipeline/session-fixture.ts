import type {
  CallEntry,
  EspEncryption,
  EspIntegrity,
  ForwardEntry,
  LinkEntry,
  PolicyRule,
  SaEntry,
  TrafficSelector,
} from '@culvert/contracts';
import { hex } from '@culvert/wire';
import {
  emitIpv4Header,
  emitIpv6Header,
  emitUdpHeader,
  parseAddress,
  parsePrefix,
  parseUdp,
} from '@culvert/wire/ip';
import { emitData, parseDataHeader } from '@culvert/wire/l2tp';
import { emitFrame, frameLength, parseFrame, protocols } from '@culvert/wire/ppp';
import { createIvSource, newWindow, openEsp, prepareEsp, sealEsp } from '../esp/index.ts';
import {
  createEngine,
  type EngineEvent,
  type EnginePolicy,
  type EngineSink,
  type Mark,
  outerFlow,
} from './index.ts';

/** Both ends of a session for tests: the engine with a recording sink, and a client that seals by hand. */
export const SESSION = '0140000000000001';
export const OTHER = '0140000000000002';
export const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
export const CLIENT4 = '10.99.0.7';
export const PREFIX6 = '2001:db8:99:7::';
export const SERVER4 = '192.0.2.80';
export const SERVER6 = '2001:db8:80::1';

export const octetsOf = (text: string): Uint8Array => {
  const address = parseAddress(text);
  if (!address.ok) throw new Error(text);
  return text.includes(':') ? address.value : address.value.subarray(12);
};

const KEY_OCTETS: Readonly<Record<EspEncryption, number>> = {
  'aes-cbc-128': 16,
  'aes-cbc-192': 24,
  'aes-cbc-256': 32,
  '3des-cbc': 24,
  'aes-gcm-16-128': 16,
  'aes-gcm-16-256': 32,
};
const INTEGRITY_OCTETS: Readonly<Record<EspIntegrity, number>> = {
  none: 0,
  'hmac-sha1-96': 20,
  'hmac-sha2-256-128': 32,
  'hmac-sha2-384-192': 48,
  'hmac-sha2-512-256': 64,
};

export function saEntry(change: Partial<SaEntry> = {}): SaEntry {
  const encryption = change.encryption ?? 'aes-gcm-16-256';
  const integrity = change.integrity ?? (encryption.startsWith('aes-gcm') ? 'none' : 'hmac-sha1-96');
  const spi = change.inboundSpi ?? 0x0140_0100;
  const keys = (seed: number) => ({
    encryption: new Uint8Array(KEY_OCTETS[encryption]).fill((seed + spi) & 0xff),
    integrity: new Uint8Array(INTEGRITY_OCTETS[integrity]).fill((seed + 1) & 0xff),
    salt: encryption.startsWith('aes-gcm') ? hex('01020304') : new Uint8Array(0),
  });
  return {
    kind: 'sa',
    session: SESSION,
    trace: TRACE,
    inboundSpi: spi,
    outboundSpi: 0x9000_0000 + (spi & 0xff),
    encryption,
    integrity,
    inbound: keys(1),
    outbound: keys(101),
    flow: {
      local: { address: '198.51.100.1', port: 4500 },
      remote: { address: '203.0.113.5', port: 61_000 },
    },
    encapsulation: 'udp',
    selector: { localPort: 1701, remotePort: 0 },
    createdAt: 1000,
    expiresAt: 1_000_000,
    ...change,
  };
}

export const callEntry = (change: Partial<CallEntry> = {}): CallEntry => ({
  kind: 'call',
  session: SESSION,
  trace: TRACE,
  innerPorts: { local: 1701, remote: 1701 },
  ours: { tunnel: 11, call: 12 },
  theirs: { tunnel: 21, call: 22 },
  sequencing: false,
  ...change,
});

export const linkEntry = (change: Partial<LinkEntry> = {}): LinkEntry => ({
  kind: 'link',
  session: SESSION,
  trace: TRACE,
  call: 12,
  user: 'alice',
  ipv4: { address: CLIENT4 },
  ipv6: { prefix: PREFIX6, prefixLength: 64, interfaceId: hex('0200000000000001') },
  mtuToPeer: 1400,
  mruFromPeer: 1400,
  pfcToPeer: false,
  acfcToPeer: false,
  ...change,
});

const prefix = (text: string) => {
  const read = parsePrefix(text);
  if (!read.ok) throw new Error(text);
  return read.value;
};

const mappedHex = (text: string) => {
  const address = parseAddress(text);
  return address.ok ? Buffer.from(address.value).toString('hex') : '';
};

export function policyFor(change: Partial<EnginePolicy> = {}, locals: readonly string[] = []): EnginePolicy {
  return {
    localAddresses: new Set(['198.51.100.1', '10.99.0.1', ...locals].map(mappedHex)),
    gateway4: octetsOf('10.99.0.1'),
    pools: [prefix('10.99.0.0/16'), prefix('2001:db8:99::/48')],
    corporate: [],
    clientToClient: false,
    outerMtu: 1500,
    ...change,
  };
}

export interface Recorded {
  readonly outer: {
    readonly encapsulation: string;
    readonly octets: Uint8Array;
    readonly port: number;
    readonly tos: number;
  }[];
  readonly inner: Uint8Array[];
  readonly ike: Parameters<EngineSink['ike']>[0][];
  readonly l2tp: Parameters<EngineSink['l2tp']>[0][];
  readonly ppp: Parameters<EngineSink['ppp']>[0][];
  readonly events: EngineEvent[];
}

export function testBench(
  entries: readonly ForwardEntry[] = [saEntry(), callEntry(), linkEntry()],
  policy = policyFor(),
  past?: ReadonlyMap<number, Mark>,
) {
  const got: Recorded = { outer: [], inner: [], ike: [], l2tp: [], ppp: [], events: [] };
  const engine = createEngine({
    ivs: createIvSource({ nodeId: 1, generation: 1, cbcKey: new Uint8Array(32).fill(3) }),
    policy,
    ...(past !== undefined && { past }),
    sink: {
      outer: (flow, encapsulation, octets, tos) =>
        got.outer.push({ encapsulation, octets, port: flow.remotePort, tos }),
      inner: (packet) => got.inner.push(packet),
      ike: (packet) => got.ike.push(packet),
      l2tp: (packet) => got.l2tp.push(packet),
      ppp: (packet) => got.ppp.push(packet),
      event: (event) => got.events.push(event),
    },
  });
  const bucketOf = { sa: 'ike', call: 'l2tp', link: 'ppp' } as const;
  const declare = (list: readonly ForwardEntry[], at = 2000) => {
    const sessions = new Set(list.map((entry) => entry.session));
    for (const session of sessions) {
      for (const [kind, bucket] of Object.entries(bucketOf)) {
        const own = list.filter((entry) => entry.session === session && entry.kind === kind);
        if (own.length > 0) engine.declare({ session, bucket, entries: own }, at);
      }
    }
  };
  const grantAll = (at = 2000) => {
    for (const event of got.events.splice(0)) {
      if (event.type === 'sequence-wanted') {
        engine.grant({ inboundSpi: event.inboundSpi, first: 1, end: 2 ** 24 + 1 }, at);
      }
    }
  };
  declare(entries);
  grantAll();
  const drops = () =>
    Object.fromEntries(Object.entries(engine.counters().drops).filter(([, count]) => count > 0));
  return { engine, got, declare, grantAll, drops };
}

/** IKEv2's tunnel mode: everything may go between the client's addresses and anywhere. */
export const tunnelEntry = (change: Partial<SaEntry> = {}): SaEntry =>
  saEntry({
    tunnel: {
      local: [selectorEntry(), selectorEntry({ from: '::', to: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' })],
      remote: [
        selectorEntry({ from: CLIENT4, to: CLIENT4 }),
        selectorEntry({ from: PREFIX6, to: '2001:db8:99:7:ffff:ffff:ffff:ffff' }),
      ],
    },
    ...change,
  });

export const selectorEntry = (change: Partial<TrafficSelector> = {}): TrafficSelector => ({
  protocol: 0,
  from: '0.0.0.0',
  to: '255.255.255.255',
  fromPort: 0,
  toPort: 65_535,
  ...change,
});

/** The link without a call, whose packets run in tunnel-mode SAs. */
export const tunnelLink = (change: Partial<LinkEntry> = {}): LinkEntry => linkEntry({ call: 0, ...change });

export const ruleEntry = (change: Partial<PolicyRule> = {}): PolicyRule => ({
  permit: true,
  protocol: 0,
  prefix: '0.0.0.0/0',
  fromPort: 0,
  toPort: 65_535,
  class: 0,
  ...change,
});

/** A client that knows an SA's keys: what is inbound for the gateway is outbound for it. */
export function testClient(sa: SaEntry = saEntry()) {
  const toGateway = prepareEsp(sa.encryption, sa.integrity, sa.inbound, sa.esn);
  const fromGateway = prepareEsp(sa.encryption, sa.integrity, sa.outbound, sa.esn);
  const ivs = createIvSource({ nodeId: 2, generation: 1, cbcKey: new Uint8Array(32).fill(4) });
  let sequence = 0;
  const sealed = (payload: Uint8Array, nextHeader = 17) => {
    sequence += 1;
    return sealEsp(toGateway, { spi: sa.inboundSpi, sequence, nextHeader, payload }, ivs);
  };
  const datagram = (l2tp: Uint8Array, ports = { sourcePort: 1701, destinationPort: 1701 }) => {
    const octets = new Uint8Array(8 + l2tp.length);
    octets.set(l2tp, emitUdpHeader(ports, l2tp.length, octets));
    return octets;
  };
  const data = (
    protocol: number,
    information: Uint8Array,
    header: { ns?: number; call?: number; tunnel?: number } = {},
  ) => {
    const frame = { protocol, information };
    const octets = new Uint8Array(frameLength(frame, { pfc: false, acfc: false }));
    emitFrame(frame, octets, 0);
    const { ns, call = 12, tunnel = 11 } = header;
    return emitData(
      { tunnelId: tunnel, sessionId: call, priority: false, ...(ns !== undefined && { ns }) },
      octets,
    );
  };
  const isIpv6 = (packet: Uint8Array) => (packet[0] ?? 0) >>> 4 === 6;
  /** In tunnel mode, under the next header of its family. */
  const tunneled = (packet: Uint8Array, nextHeader = isIpv6(packet) ? 41 : 4) => sealed(packet, nextHeader);
  const user = (packet: Uint8Array) =>
    sealed(datagram(data(isIpv6(packet) ? protocols.ipv6 : protocols.ipv4, packet)));
  const flow = outerFlow(sa.flow);
  const from = (octets: Uint8Array, port = flow.remotePort, tos = 0) => ({
    via: sa.encapsulation === 'udp' ? ('nat-traversal' as const) : ('esp' as const),
    listener: 'main',
    flow: { ...flow, remotePort: port },
    octets,
    tos,
  });
  /** What is inside an ESP packet of the gateway. */
  const plainOf = (packet: Uint8Array) => {
    const plain = openEsp(fromGateway, newWindow(), packet);
    if (!plain.ok) throw new Error(plain.fault);
    return plain;
  };
  /** The PPP frame in an ESP packet of the gateway, with the headers around it. */
  const opened = (packet: Uint8Array) => {
    const plain = plainOf(packet);
    const udp = parseUdp(plain.payload);
    if (!udp.ok) throw new Error(udp.reason);
    return { sequence: plain.sequence, udp: udp.value, whole: plain.payload };
  };
  const frameOf = (packet: Uint8Array) => {
    const message = parseDataHeader(opened(packet).udp.payload);
    if (!message.ok) throw new Error(message.reason);
    const frame = parseFrame(message.value.payload);
    if (!frame.ok) throw new Error(frame.reason);
    return { header: message.value.header, raw: message.value.payload, ...frame.value };
  };
  return { sealed, datagram, data, user, tunneled, from, plainOf, opened, frameOf };
}

export function packet4(
  source: string,
  destination: string,
  payload: Uint8Array = new Uint8Array(8),
  change: { protocol?: number; dontFragment?: boolean; options?: Uint8Array; fragmentOffset?: number } = {},
): Uint8Array {
  const options = change.options ?? new Uint8Array(0);
  const packet = new Uint8Array(20 + options.length + payload.length);
  const header = {
    typeOfService: 0,
    identification: 1,
    dontFragment: false,
    moreFragments: false,
    fragmentOffset: 0,
    timeToLive: 61,
    protocol: 17,
    source: octetsOf(source),
    destination: octetsOf(destination),
    ...change,
    options,
  };
  packet.set(payload, emitIpv4Header(header, payload.length, packet));
  return packet;
}

export function packet6(
  source: string,
  destination: string,
  payload: Uint8Array = new Uint8Array(8),
  nextHeader = 17,
): Uint8Array {
  const packet = new Uint8Array(40 + payload.length);
  const header = { nextHeader, hopLimit: 61, source: octetsOf(source), destination: octetsOf(destination) };
  packet.set(payload, emitIpv6Header(header, payload.length, packet));
  return packet;
}
