import { parseArgs } from 'node:util';

/** The last takes a client in a virtual machine, and is measured only when asked for. */
export const PEERS = ['openvpn', 'libipsec', 'wireguard-go', 'softether'] as const;
export type Peer = (typeof PEERS)[number];

export interface Options {
  readonly json: boolean;
  /** Names of groups or keys; none: all. */
  readonly rows: readonly string[];
  readonly runs: number;
  readonly seconds: number;
  readonly peers: readonly Peer[];
  /** The folder of the prototype, whose src/ has proto.c. */
  readonly prototype: string | undefined;
  /** How long to wait for a machine that does nothing else before each test. */
  readonly quietSeconds: number;
  /** A test during which others used more of the cores is measured again, and left out after the last attempt. */
  readonly foreignCoresMax: number;
}

/** The command line; a word it does not know throws. */
export function readOptions(words: readonly string[], env: NodeJS.ProcessEnv): Options {
  const { values } = parseArgs({
    args: [...words],
    options: {
      json: { type: 'boolean', default: false },
      rows: { type: 'string', default: '' },
      runs: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      peers: { type: 'string', default: PEERS.slice(0, 3).join(',') },
      prototype: { type: 'string', default: env.CULVERT_BENCH_PROTOTYPE ?? '' },
      quiet: { type: 'string', default: '10' },
      foreign: { type: 'string', default: '0.2' },
    },
  });
  return {
    json: values.json,
    rows: list(values.rows),
    runs: number('runs', values.runs, 1),
    // iperf3 counts whole seconds.
    seconds: Math.ceil(number('seconds', values.seconds, 1)),
    peers: list(values.peers).map(peer),
    prototype: values.prototype === '' ? undefined : values.prototype,
    quietSeconds: number('quiet', values.quiet, 0),
    foreignCoresMax: number('foreign', values.foreign, 0),
  };
}

function list(text: string): string[] {
  return text.split(',').filter((word) => word !== '');
}

function number(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!(value >= least)) throw new Error(`--${name} ${text}: a number of at least ${least} is wanted`);
  return value;
}

function peer(name: string): Peer {
  const found = PEERS.find((known) => known === name);
  if (found === undefined) throw new Error(`--peers ${name}: known are ${PEERS.join(', ')}`);
  return found;
}
