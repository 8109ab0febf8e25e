import { availableParallelism, hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Secret } from '@culvert/crypto';
import { firstHost } from './prefix.ts';
import type { Settings } from './schema.ts';

type Given<T, K extends PropertyKey> = Omit<T, K>;

export type ListenerConfig = Settings['listen'][number];

export type PskConfig = Given<Settings['psks'][number], 'secret' | 'secretFile'> & {
  readonly secret: Secret;
};

export type UserConfig = Given<Settings['users'][number], 'password' | 'passwordFile'> & {
  readonly password: Secret;
};

export type NatsConfig =
  | { readonly embedded: true }
  | {
      readonly embedded: false;
      readonly url: string;
      readonly user?: string;
      readonly password?: Secret;
      readonly caFile?: string;
      readonly certFile?: string;
      readonly keyFile?: string;
    };

/** The settings as services see them: every default filled in, paths absolute, secrets opaque. */
export interface Config {
  readonly node: string;
  readonly stateDir: string;
  /** The key under which stored state and users are sealed; made at the first start. */
  readonly keyFile: string;
  readonly listen: readonly ListenerConfig[];
  readonly psks: readonly PskConfig[];
  readonly ike: Settings['ike'];
  readonly esp: Settings['esp'];
  readonly l2tp: Given<Settings['l2tp'], 'tunnelSecret' | 'tunnelSecretFile'> & {
    readonly tunnelSecret?: Secret;
  };
  readonly ppp: Settings['ppp'];
  readonly pool: Settings['pool'] & { readonly gateway4: string };
  readonly users: readonly UserConfig[];
  readonly usersFile: string;
  readonly routes: Settings['routes'];
  readonly edge: Settings['edge'] & { readonly workers: number };
  readonly nats: NatsConfig;
  readonly telemetry: Settings['telemetry'];
}

/** The secrets of a file, already read; the keys are field paths such as `psks[0].secret`. */
export type Secrets = ReadonlyMap<string, Secret>;

const WORKERS_MAX = 4;

export function defaultStateDir(): string {
  return process.env.CULVERT_HOME ?? '/var/lib/culvert';
}

/** Settings that passed every check become the services' view of them. */
export function configOf(given: Settings, secrets: Secrets, baseDir: string): Config {
  const stateDir = resolve(baseDir, given.stateDir ?? defaultStateDir());
  const { tunnelSecret: _inline, tunnelSecretFile: _file, ...l2tp } = given.l2tp;
  const tunnelSecret = secrets.get('l2tp.tunnelSecret');
  return {
    node: given.node ?? nodeName(),
    stateDir,
    keyFile: resolve(stateDir, 'cluster.key'),
    listen: given.listen,
    psks: given.psks.map(({ secret: _secret, secretFile: _path, ...psk }, index) => ({
      ...psk,
      secret: required(secrets, `psks[${index}].secret`),
    })),
    ike: given.ike,
    esp: given.esp,
    l2tp: tunnelSecret === undefined ? l2tp : { ...l2tp, tunnelSecret },
    ppp: given.ppp,
    pool: { ...given.pool, gateway4: given.pool.gateway4 ?? firstHost(given.pool.ipv4) },
    users: given.users.map(({ password: _password, passwordFile: _path, ...user }, index) => ({
      ...user,
      password: required(secrets, `users[${index}].password`),
    })),
    usersFile: resolve(baseDir, given.usersFile ?? resolve(stateDir, 'users.yaml')),
    routes: given.routes,
    edge: { ...given.edge, workers: given.edge.workers ?? Math.min(WORKERS_MAX, availableParallelism()) },
    nats: natsOf(given.nats, secrets, baseDir),
    telemetry: given.telemetry,
  };
}

function natsOf(given: Settings['nats'], secrets: Secrets, baseDir: string): NatsConfig {
  if (given.url === undefined) return { embedded: true };
  const password = secrets.get('nats.password');
  return {
    embedded: false,
    url: given.url,
    ...(given.user === undefined ? {} : { user: given.user }),
    ...(password === undefined ? {} : { password }),
    ...(given.caFile === undefined ? {} : { caFile: resolve(baseDir, given.caFile) }),
    ...(given.certFile === undefined ? {} : { certFile: resolve(baseDir, given.certFile) }),
    ...(given.keyFile === undefined ? {} : { keyFile: resolve(baseDir, given.keyFile) }),
  };
}

/** The host name's first label, made fit for a NATS subject. */
function nodeName(): string {
  const label = (hostname().split('.')[0] ?? '').replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, 63);
  return /^[A-Za-z0-9]/.test(label) ? label : 'node';
}

function required(secrets: Secrets, field: string): Secret {
  const secret = secrets.get(field);
  if (secret === undefined) throw new Error(`invariant: ${field} was checked but is absent`);
  return secret;
}
