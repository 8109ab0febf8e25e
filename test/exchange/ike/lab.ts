import type { Entry } from '@culvert/bus';
import { type Config, parseConfig } from '@culvert/config';
import {
  buckets,
  type IkeDatagram,
  type IkePacket,
  type IkeRequest,
  type L2tpRequest,
  type Requested,
  type SaEntry,
  shardOfHex,
  subjects,
  type Taken,
} from '@culvert/contracts';
import { createSealer, Secret, shardOfCookie } from '@culvert/crypto';
import { readForwardPart } from '@culvert/host';
import { createIkeService } from '@culvert/service-ike';
import { concat, toHex } from '@culvert/wire';
import { IkeInitiator, type PeerSa } from '../../peer/ike-initiator.ts';
import type { IkeProfile } from '../../peer/profile.ts';
import type { SimBus, SimRuntime, World } from '../../sim/index.ts';
import { simProcess, simRuntime } from '../../sim/index.ts';

const NODE = 'sim';
const GATEWAY = '192.0.2.1';
export const PSK = 'k7Qw2ZtR9vLx4NbY6mHc8JfD3sGp5AeU';
const SETTINGS = `
node: ${NODE}
stateDir: /tmp/culvert-exchange-lab
`;
const PSKS = `psks: [{ name: office, secret: '${PSK}' }]\n`;

/** A client as the gateway sees it from outside. */
export interface Station {
  readonly initiator: IkeInitiator;
  readonly sas: PeerSa[];
  readonly deleted: ('isakmp' | number)[];
  /** Octets that left and arrived, in order. */
  readonly sent: Uint8Array[];
  readonly received: Uint8Array[];
  /** What happens to the next datagrams of a direction; default: they arrive. */
  filter: (direction: 'out' | 'in', octets: Uint8Array) => boolean;
  /** Outside port offset: a NAT that rebinds. */
  outsidePorts: { ike: number; floated: number };
}

export interface StationOptions {
  readonly ours?: string;
  /** Set: behind a NAT with this outside address. */
  readonly outside?: string;
  readonly psk?: string;
  readonly node?: string;
}

/** The ike service, the edge's and l2tp's ends of the bus, and any number of clients, in one process. */
export interface Lab {
  readonly world: World;
  runtime: SimRuntime;
  readonly bus: SimBus;
  readonly l2tp: L2tpRequest[];
  idleMs: number | undefined;
  station(profile: IkeProfile, options?: StationOptions): Station;
  /** Octets from anywhere, as the edge would hand them over. */
  inject(octets: Uint8Array, from?: { address: string; port: number }): void;
  request(session: string, request: IkeRequest): Promise<Taken>;
  records(): readonly string[];
  entries(): readonly SaEntry[];
  restart(): Promise<void>;
  drops(): Readonly<Record<string, number>>;
  logged(message: string): readonly Readonly<Record<string, unknown>>[];
}

export function labConfig(extra = '', psks = PSKS): Config {
  return parseConfig(SETTINGS + psks + extra, '/tmp');
}

export async function openLab(world: World, config: Config = labConfig()): Promise<Lab> {
  const { bus } = simProcess('edge and l2tp', world);
  const receivers = new Map<string, (octets: Uint8Array, port: 500 | 4500) => void>();
  const sealer = createSealer({ current: new Secret(world.clusterKey), earlier: [] });
  const lab: Lab = {
    world,
    bus,
    runtime: simRuntime('ike', world, config),
    l2tp: [],
    idleMs: undefined,
    station: (profile, options = {}) => newStation(lab, profile, options, receivers),
    inject(octets, from = { address: '203.0.113.66', port: 500 }) {
      const packet: IkePacket = {
        node: NODE,
        listener: config.listen[0]?.name ?? '',
        flow: { local: { address: GATEWAY, port: from.port === 500 ? 500 : 4500 }, remote: from },
        nonEspMarker: from.port !== 500,
        octets,
      };
      bus.publish(subjects.ike.packet(shardOf(world, octets)), packet);
    },
    request(session, request) {
      const requested: Requested<IkeRequest> = { id: `test/${session}/${counter.next()}`, session, request };
      return bus.request<Taken>(subjects.ike.request(shardOfHex(session)), requested, { timeoutMs: 5000 });
    },
    records: () => stored(world).map(({ key }) => key),
    entries: () =>
      stored(world).flatMap(
        (entry) => (readForwardPart(sealer, buckets.ike, entry)?.entries ?? []) as readonly SaEntry[],
      ),
    async restart() {
      lab.runtime.crash();
      lab.runtime = simRuntime('ike', world, config);
      await world.promised(createIkeService(lab.runtime).start());
    },
    drops: () => lab.runtime.telemetry.counters(),
    logged: (message) =>
      lab.runtime.telemetry.lines.filter((line) => line.message === message).map((line) => line.fields),
  };
  bus.subscribe<IkeDatagram>(subjects.edge.ike(NODE), ({ payload }) => {
    const { address, port } = payload.flow.remote;
    receivers.get(`${address}:${port}`)?.(payload.octets, payload.nonEspMarker ? 4500 : 500);
  });
  bus.respond<Requested<L2tpRequest>>(subjects.l2tp.request('*'), ({ payload }) => {
    lab.l2tp.push(payload.request);
    return { taken: true } satisfies Taken;
  });
  bus.respond(subjects.edge.activity('*'), () => (lab.idleMs === undefined ? {} : { idleMs: lab.idleMs }));
  await world.promised(createIkeService(lab.runtime).start());
  return lab;
}

function stored(world: World): readonly Entry[] {
  return [...world.broker.store(buckets.ike).entries.values()].filter(({ value }) => value !== undefined);
}

const counter = { value: 0, next: () => String(++counter.value) };

function shardOf(world: World, octets: Uint8Array): number {
  const cookie = octets.subarray(8, 16);
  if (cookie.some((octet) => octet !== 0)) return shardOfHex(toHex(cookie));
  return shardOfCookie(world.clusterKey, octets.subarray(0, 8));
}

function newStation(
  lab: Lab,
  profile: IkeProfile,
  { ours = '198.51.100.7', outside, psk = PSK, node }: StationOptions,
  receivers: Map<string, (octets: Uint8Array, port: 500 | 4500) => void>,
): Station {
  const { clock, entropy } = simProcess(node ?? `client ${ours}`, lab.world);
  const address = outside ?? ours;
  const four = (text: string) => Uint8Array.from(text.split('.'), Number);
  const station: Station = {
    sas: [],
    deleted: [],
    sent: [],
    received: [],
    filter: () => true,
    outsidePorts: outside === undefined ? { ike: 500, floated: 4500 } : { ike: 20_500, floated: 24_500 },
    initiator: new IkeInitiator(
      profile,
      Secret.fromText(psk),
      { ours: four(ours), gateway: four(GATEWAY) },
      {
        clock,
        entropy,
        send(octets, port) {
          station.sent.push(octets.slice());
          if (!station.filter('out', octets)) return;
          const outsidePort = port === 500 ? station.outsidePorts.ike : station.outsidePorts.floated;
          const local = { address: GATEWAY, port };
          const flow = { local, remote: { address, port: outsidePort } };
          receivers.set(`${address}:${outsidePort}`, receive);
          const listener = 'main';
          const packet: IkePacket = { node: NODE, listener, flow, nonEspMarker: port === 4500, octets };
          lab.bus.publish(subjects.ike.packet(shardOf(lab.world, octets)), packet);
        },
        ipsecSa: (sa) => station.sas.push(sa),
        deleted: (what) => station.deleted.push(what),
      },
    ),
  };
  const receive = (octets: Uint8Array) => {
    if (!station.filter('in', octets)) return;
    station.received.push(octets);
    void station.initiator.receive(octets).catch((error: unknown) => lab.world.broker.faults.push(error));
  };
  return station;
}

/** A message again with one octet changed. */
export function flipped(octets: Uint8Array, at: number): Uint8Array {
  const changed = concat(octets);
  changed[at] = (changed[at] ?? 0) ^ 0x01;
  return changed;
}
