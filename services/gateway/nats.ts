import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atLeast, type NatsBinary } from './nats-server.ts';
import { type Supervised, type SupervisorEvents, supervise } from './supervisor.ts';

/** Where a nats-server is, and what it asks for. */
export interface NatsAccess {
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

export interface EmbeddedNats {
  readonly access: NatsAccess;
  readonly supervised: Supervised;
}

const READY_WITHIN_MS = 10_000;
const POLL_MS = 20;
const RANDOM_PORT = -1;

/**
 * A nats-server of our own on the loopback of this network namespace, on a port that it chooses, and with a
 * password that is new at each start: other users of the machine can connect but do nothing.
 */
export async function startNats(
  binary: NatsBinary,
  stateDir: string,
  events: SupervisorEvents,
  onLine: (line: string) => void,
): Promise<EmbeddedNats> {
  raiseLoopback();
  const folder = join(stateDir, 'nats');
  const ports = join(folder, 'ports');
  rmSync(ports, { recursive: true, force: true });
  mkdirSync(ports, { recursive: true, mode: 0o700 });
  const login = { user: 'culvert', password: randomBytes(24).toString('hex') };
  const file = join(folder, 'nats.conf');
  const write = (port: number) => {
    writeFileSync(file, natsConf({ ...login, folder, ports, port, version: binary.version }), {
      mode: 0o600,
    });
    chmodSync(file, 0o600);
  };
  write(RANDOM_PORT);
  const supervised = supervise(
    {
      name: 'nats-server',
      file: binary.path,
      args: ['-c', file],
      env: { PATH: process.env.PATH ?? '' },
      onLine,
    },
    events,
  );
  const url = await portOf(ports, supervised);
  // When it has to be started again, clients look for it where it was.
  write(Number(new URL(url).port));
  return { access: { url, ...login }, supervised };
}

/** Durable within a second: a machine that loses power loses its sessions' sockets as well. */
function natsConf(given: {
  readonly user: string;
  readonly password: string;
  readonly folder: string;
  readonly ports: string;
  readonly port: number;
  readonly version: string;
}): string {
  const sync = atLeast(given.version, '2.10.0') ? '\n  sync_interval: "1s"' : '';
  return `# Written at each start; changes are lost.
listen: "127.0.0.1:${given.port}"
server_name: "culvert"
ports_file_dir: ${JSON.stringify(given.ports)}
authorization { user: "${given.user}", password: "${given.password}" }
jetstream {
  store_dir: ${JSON.stringify(given.folder)}${sync}
}
`;
}

/** The server writes `<program>_<pid>.ports` when it listens. */
async function portOf(folder: string, supervised: Supervised): Promise<string> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline && supervised.starts < 2) {
    const name = readdirSync(folder).find((entry) => entry.endsWith('.ports'));
    const url = name === undefined ? undefined : urlIn(readFileSync(join(folder, name), 'utf8'));
    if (url !== undefined) return url;
    await sleep(POLL_MS);
  }
  await supervised.stop(1000);
  throw new Error(`nats-server does not start: ${supervised.lastWords.join(' / ') || 'it says nothing'}`);
}

function urlIn(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { nats?: string[] }).nats?.[0];
  } catch {
    return undefined; // half written
  }
}

/** A new network namespace has its loopback down. */
function raiseLoopback(): void {
  const up = Object.values(networkInterfaces()).some((list) =>
    list?.some(({ address }) => address === '127.0.0.1'),
  );
  if (!up)
    spawnSync('ip', ['link', 'set', 'lo', 'up'], { env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
}
