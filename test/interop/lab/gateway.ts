import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { attempt, command, daemon, end, until } from './command.ts';
import { ADDRESSES, type Network } from './network.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const CLI = join(ROOT, 'services/cli/main.ts');
const READY_MS = 60_000;

export const PSK = 'm68j-n307-ffpp-wsge-8w2q-xua3-ypch-xpfe';
/** Enough users that each guest can have one of its own. */
export const USERS = [
  { name: 'alice', password: 'pass one' },
  { name: 'bob', password: 'pass "two"' },
  { name: 'carol', password: 'p@ss three' },
] as const;

export interface Gateway {
  readonly log: string;
  /** One of the launcher's commands with `--json`, as an operator runs it on the machine. */
  ask(...words: readonly string[]): Promise<unknown>;
  /** The process of one of its services. */
  pid(service: string): Promise<number>;
  /** Listening and connected sockets, as `ss` shows them. */
  sockets(...filter: readonly string[]): Promise<string>;
  /** Ends it as an operator does; answers whether it went by itself. */
  stop(): Promise<boolean>;
}

/** Sections of the configuration that a test writes its own way. */
export type Changes = Readonly<Record<string, unknown>>;

/** A configuration as an operator would write it; `otlp` is where the lab's receiver listens. */
function settings(directory: string, otlp: string, changes: Changes) {
  return {
    node: 'lab',
    stateDir: join(directory, 'state'),
    listen: [{ name: 'outside', addresses: [ADDRESSES.outside.gateway] }],
    psks: [{ name: 'lab', secret: PSK }],
    users: USERS,
    pool: { ipv4: ADDRESSES.pool.prefix, gateway4: ADDRESSES.pool.gateway },
    ppp: { dns: [ADDRESSES.corporate.host], echo: { intervalSeconds: 5, failures: 3 } },
    routes: { corporate: [ADDRESSES.corporate.prefix] },
    ike: { dpd: { intervalSeconds: 10, timeoutSeconds: 30 } },
    telemetry: { logLevel: 'debug', otlp, prometheus: `${ADDRESSES.corporate.gateway}:9464` },
    ...changes,
  };
}

/** The gateway as a user starts it, in its namespace, with its own state and its own nats-server. */
export async function startGateway(
  network: Network,
  directory: string,
  otlp: string,
  changes: Changes = {},
): Promise<Gateway> {
  mkdirSync(join(directory, 'state'), { recursive: true });
  const file = join(directory, 'culvert.yaml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(settings(directory, otlp, changes), null, 2));
  const log = join(directory, 'gateway.log');
  const child = daemon(log, ...network.within('gateway', process.execPath, CLI, 'up', '--config', file));
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });

  const sockets = (...filter: readonly string[]): Promise<string> =>
    command(...flat(network.within('gateway', 'ss', '-Hn', ...filter)));
  await until('the gateway to listen on UDP 500', READY_MS, async () => {
    if (ended) throw new Error(`the gateway ended by itself:\n${readFileSync(log, 'utf8').slice(-3000)}`);
    return (await sockets('-ul', 'sport = :500')) === '' ? undefined : true;
  });
  const ask = async (...words: readonly string[]): Promise<unknown> => {
    const line = network.within('gateway', process.execPath, CLI, ...words, '--config', file, '--json');
    const { status, output } = await attempt(...line, 30_000);
    if (status !== 0) throw new Error(`culvert ${words.join(' ')}: status ${status}\n${output}`);
    return JSON.parse(output);
  };
  return {
    log,
    sockets,
    ask,
    pid: async (service) => {
      const { services } = (await ask('status')) as Status;
      const pid = services[service]?.pid;
      if (pid === undefined) throw new Error(`${service} is silent`);
      return pid;
    },
    stop: () => end(child, 20_000),
  };
}

interface Status {
  readonly services: Readonly<Record<string, { readonly pid: number } | null>>;
}

function flat([program, args]: readonly [string, readonly string[]]): [string, ...string[]] {
  return [program, ...args];
}
