import { type Config, parseConfig } from '@culvert/config';
import {
  type L2tpRequest,
  type PppFrame,
  type PppRequest,
  type Requested,
  shardOfHex,
  subjects,
  type Taken,
} from '@culvert/contracts';
import { Secret } from '@culvert/crypto';
import { createAaaService } from '@culvert/service-aaa';
import { createPppService } from '@culvert/service-ppp';
import { PppClient } from '../../peer/ppp-client.ts';
import { modern, type PppProfile } from '../../peer/profile.ts';
import { type SimRuntime, simProcess, simRuntime, type World } from '../../sim/index.ts';
import { written } from './notation.ts';

export const SESSION = '0040aaaabbbbcccc';
export const CALL = 17;

export const YAML = `
node: gw1
stateDir: /nonexistent/culvert
psks: [{ name: office, secret: "q7Hx2LmN9vRtY4sWc8ZpKd3FgJ6bTn5E" }]
users:
  - { name: alice, password: "correct horse battery" }
  - { name: carol, password: "correct horse battery", chap: true }
pool: { ipv4: 10.98.0.0/22 }
ppp: { dns: [10.0.0.53] }
`;

/** The ppp and aaa services with this test in the place of the edge and of l2tp. */
export interface PppWorld {
  readonly world: World;
  readonly config: Config;
  ppp: SimRuntime;
  readonly aaa: SimRuntime;
  /** Frames in both directions, as `-->` (from the client) and `<--`. */
  readonly wire: string[];
  readonly frames: PppFrame[];
  readonly disconnects: Extract<L2tpRequest, { type: 'call.disconnect' }>[];
  readonly requests: { answered: Taken | undefined }[];
  /** A frame of the client, as the edge hands it on. */
  fromClient(octets: Uint8Array): void;
  request(request: PppRequest): Promise<Taken>;
  restart(): Promise<void>;
}

export async function pppWorld(
  world: World,
  yaml = YAML,
): Promise<PppWorld & { dial(options?: DialOptions): Dialled }> {
  const config = parseConfig(yaml, '/nonexistent');
  const shard = shardOfHex(SESSION);
  const edge = simProcess('edge', world);
  let receive: (octets: Uint8Array) => void = () => {};
  let asked = 0;
  const scene: PppWorld = {
    world,
    config,
    ppp: simRuntime('ppp', world, config),
    aaa: simRuntime('aaa', world, config),
    wire: [],
    frames: [],
    disconnects: [],
    requests: [],
    fromClient(octets) {
      scene.wire.push(`--> ${written(octets)}`);
      // As the edge does: address and control fields are taken off.
      const bare = octets[0] === 0xff && octets[1] === 0x03 ? octets.subarray(2) : octets;
      edge.bus.publish(subjects.ppp.packet(shard), { session: SESSION, call: CALL, octets: bare });
    },
    async request(request) {
      asked += 1;
      const requested: Requested<PppRequest> = { id: `test/${asked}`, session: SESSION, request };
      return edge.bus.request<Taken>(subjects.ppp.request(shard), requested, { timeoutMs: 1_000 });
    },
    async restart() {
      scene.ppp.crash();
      scene.ppp = simRuntime('ppp', world, config);
      await world.promised(createPppService(scene.ppp).start());
    },
  };
  edge.bus.subscribe<PppFrame>(subjects.edge.ppp('*'), ({ payload }) => {
    scene.wire.push(`<-- ${written(payload.octets)}`);
    scene.frames.push(payload);
    receive(payload.octets);
  });
  edge.bus.respond<Requested<L2tpRequest>>(subjects.l2tp.request('*'), ({ payload }): Taken => {
    if (payload.request.type === 'call.disconnect') scene.disconnects.push(payload.request);
    return { taken: true };
  });
  await world.promised(createAaaService(scene.aaa).start());
  await world.promised(createPppService(scene.ppp).start());
  return Object.assign(scene, {
    dial(options: DialOptions = {}) {
      const dialled = clientOf(scene, options);
      receive = (octets) => {
        if (!dialled.deaf) dialled.client.receive(octets);
      };
      return dialled;
    },
  });
}

export interface DialOptions {
  readonly user?: string;
  readonly password?: string;
  readonly profile?: Partial<PppProfile>;
}

export interface Dialled {
  readonly client: PppClient;
  readonly packets: Uint8Array[];
  /** Frames to the client get lost. */
  deaf: boolean;
  ended: string | undefined;
}

function clientOf(
  scene: PppWorld,
  { user = 'alice', password = 'correct horse battery', profile }: DialOptions,
): Dialled {
  const { clock, entropy } = simProcess('client', scene.world);
  const packets: Uint8Array[] = [];
  const ports = {
    clock,
    entropy,
    send: (octets: Uint8Array) => scene.fromClient(octets),
    packet: (octets: Uint8Array) => void packets.push(octets),
    opened: () => {},
    ended: (why: string) => {
      dialled.ended ??= why;
    },
  };
  const secret = new Secret(new TextEncoder().encode(password));
  const client = new PppClient({ ...modern.ppp, ...profile }, user, secret, ports);
  const dialled: Dialled = { client, packets, deaf: false, ended: undefined };
  return dialled;
}
