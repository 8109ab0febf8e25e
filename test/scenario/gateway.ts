import { type Config, parseConfig } from '@culvert/config';
import { createAaaService } from '@culvert/service-aaa';
import { createIkeService } from '@culvert/service-ike';
import { createL2tpService } from '@culvert/service-l2tp';
import { createPppService } from '@culvert/service-ppp';
import { toHex } from '@culvert/wire';
import { formatAddress, parseAddress } from '@culvert/wire/ip';
import { createIvSource, type IvSource } from '../../services/edge/esp/index.ts';
import { createEdge } from '../../services/edge/service/edge-service.ts';
import { createEnginePlane, type EnginePlane } from '../../services/edge/service/engine-plane.ts';
import { policyOf } from '../../services/edge/service/policy.ts';
import { type SimRuntime, type SimSocket, simRuntime, type World } from '../sim/index.ts';

export const GATEWAY = '192.0.2.1';
export const PSK = 'J3v9-wQx7_2mNbR5tYp8LkHs4Df6GcVz1AqWeUiOn';
export const USER = 'alice';
export const PASSWORD = 'correct horse battery';

export const DEFAULTS = `
node: gw1
stateDir: /nonexistent/culvert
listen: [{ name: main, addresses: ["${GATEWAY}"] }]
psks: [{ name: office, secret: "${PSK}" }]
users: [{ name: ${USER}, password: "${PASSWORD}" }]
pool: { ipv4: 10.98.0.0/22 }
ppp: { dns: [10.0.0.53] }
`;

type Role = 'ike' | 'l2tp' | 'ppp' | 'aaa' | 'edge';

/** One gateway in a simulated world: the real services, the real engine, wires of the world's network. */
export interface SimGateway {
  readonly config: Config;
  readonly runtimes: Readonly<Record<Role, SimRuntime>>;
  readonly plane: EnginePlane;
  /** IP packets that reached the corporate side, in order. */
  readonly corporate: Uint8Array[];
  /**
   * A process goes and another one takes its place: `crash`, and what it had not stored is gone, or `drain`,
   * as after SIGTERM.
   */
  restart(role: Role, how?: 'crash' | 'drain'): Promise<void>;
  /** Every log line of every service, as printed. */
  lines(): readonly string[];
  /** Drop and refusal counters of all services, added up. */
  counters(): Readonly<Record<string, number>>;
}

const CREATE = {
  ike: createIkeService,
  l2tp: createL2tpService,
  ppp: createPppService,
  aaa: createAaaService,
} as const;

export async function simGateway(world: World, yaml = DEFAULTS): Promise<SimGateway> {
  const config = parseConfig(yaml, '/nonexistent');
  const runtimes = {
    ike: simRuntime('ike', world, config),
    l2tp: simRuntime('l2tp', world, config),
    ppp: simRuntime('ppp', world, config),
    aaa: simRuntime('aaa', world, config),
    edge: simRuntime('edge', world, config),
  };
  const past: SimRuntime[] = [];
  const corporate: Uint8Array[] = [];
  let generation = 0;
  const startEdge = async (runtime: SimRuntime): Promise<Wired> => {
    generation += 1;
    const edge = wired(world, config, runtime, ivsOf(world, generation), corporate);
    await world.promised(createEdge(runtime, edge.plane).start());
    return edge;
  };
  let edge = await startEdge(runtimes.edge);
  for (const role of ['aaa', 'ppp', 'l2tp', 'ike'] as const) {
    await world.promised(CREATE[role](runtimes[role]).start());
  }
  const everyone = () => [...past, ...Object.values(runtimes)];
  return {
    config,
    runtimes,
    get plane() {
      return edge.plane;
    },
    corporate,
    async restart(role, how = 'crash') {
      if (how === 'drain') await world.promised(runtimes[role].stop());
      runtimes[role].crash();
      past.push(runtimes[role]);
      runtimes[role] = simRuntime(role, world, config);
      if (role === 'edge') {
        edge.close();
        edge = await startEdge(runtimes.edge);
      } else await world.promised(CREATE[role](runtimes[role]).start());
    },
    lines: () => everyone().flatMap((runtime) => runtime.telemetry.lines.map((line) => JSON.stringify(line))),
    counters() {
      const sum: Record<string, number> = {};
      for (const runtime of everyone()) {
        for (const [name, value] of Object.entries(runtime.telemetry.counters()))
          sum[name] = (sum[name] ?? 0) + value;
      }
      return sum;
    },
  };
}

function ivsOf(world: World, generation: number): IvSource {
  const cbcKey = world.chance.fork(`cbc key ${generation}`).octets(32);
  return createIvSource({ nodeId: 1, generation, cbcKey });
}

interface Wired {
  readonly plane: EnginePlane;
  /** The process is gone, and its sockets with it. */
  close(): void;
}

/** Sockets of the simulated network in place of those of the edge's workers. */
function wired(
  world: World,
  config: Config,
  runtime: SimRuntime,
  ivs: IvSource,
  corporate: Uint8Array[],
): Wired {
  const sockets = new Map<string, SimSocket>();
  const plane = createEnginePlane(
    { policy: policyOf(config, ['127.0.0.1', '::1']), replayWindow: config.esp.replayWindow },
    {
      clock: runtime.clock,
      ivs,
      wires: {
        datagram(flow, octets) {
          const remote = { address: formatAddress(flow.remote), port: flow.remotePort };
          sockets.get(`${toHex(flow.local)}|${flow.localPort}`)?.send(remote, octets);
        },
        esp(flow, octets) {
          const remote = { address: formatAddress(flow.remote), port: 0 };
          sockets.get(`${toHex(flow.local)}|0`)?.send(remote, octets);
        },
        inner: (packet) => corporate.push(packet.slice()),
      },
    },
  );
  for (const listener of config.listen) {
    for (const address of listener.addresses) {
      const local = octetsOf(address);
      for (const [port, via] of [
        [500, 'ike'],
        [4500, 'nat-traversal'],
        [0, 'esp'],
      ] as const) {
        const socket = world.network.bind({ address, port }, ({ from, octets }) =>
          plane.outer({
            via,
            listener: via === 'esp' ? '' : listener.name,
            flow: { local, localPort: port, remote: octetsOf(from.address), remotePort: from.port },
            octets,
          }),
        );
        sockets.set(`${toHex(local)}|${port}`, socket);
      }
    }
  }
  return {
    plane,
    close() {
      void plane.stop();
      for (const socket of sockets.values()) socket.close();
    },
  };
}

function octetsOf(text: string): Uint8Array {
  const address = parseAddress(text);
  if (!address.ok) throw new Error(`${text} is not an address`);
  return address.value;
}
