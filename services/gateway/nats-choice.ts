import { type NatsOptions, natsVersion } from '@culvert/bus';
import type { Config, NatsConfig } from '@culvert/config';
import { startNats } from './nats.ts';
import { findNatsServer, meetsFloor, natsWanted } from './nats-server.ts';
import type { RunState } from './run-state.ts';
import type { Says } from './says.ts';
import type { SupervisorEvents } from './supervisor.ts';

/** The NATS that this gateway uses: its own, or the configured one. */
export interface NatsForServices {
  readonly access: RunState['nats'];
  readonly options: Omit<NatsOptions, 'name'>;
  /** Undefined: services take the server from the configuration. */
  readonly urlForServices: string | undefined;
  /** Of the server that answers now. Throws NatsRefused when it is too old. */
  version(): Promise<string>;
  stop(graceMs: number): Promise<void>;
}

export class NatsRefused extends Error {
  override readonly name = 'NatsRefused';
}

export async function openNats(
  config: Config,
  events: SupervisorEvents,
  says: Says,
): Promise<NatsForServices> {
  return config.nats.embedded ? embedded(config.stateDir, events, says) : external(config.nats);
}

async function embedded(stateDir: string, events: SupervisorEvents, says: Says): Promise<NatsForServices> {
  const wanted = natsWanted();
  const binary = findNatsServer(process.env);
  if (binary === undefined) {
    throw new NatsRefused(`no nats-server found: run deploy/setup, or put version ${wanted.pinned} on PATH`);
  }
  if (!meetsFloor(binary.version, wanted)) {
    says.line(
      `nats-server ${binary.version} is below ${wanted.floor}: for development only, run deploy/setup`,
    );
  }
  const { access, supervised } = await startNats(binary, stateDir, events, (line) => {
    if (/\[(WRN|ERR|FTL)\]/.test(line) && !line.includes('Plaintext passwords'))
      says.service('nats-server', line);
  });
  const { url, user, password } = access;
  return {
    access: { ...access, version: binary.version, embedded: true },
    options: { url, user, password },
    urlForServices: Object.assign(new URL(url), { username: user, password }).toString(),
    version: async () => binary.version,
    stop: (graceMs) => supervised.stop(graceMs),
  };
}

type ExternalNats = Extract<NatsConfig, { embedded: false }>;

/** One that is not there yet is judged when it comes. */
async function external(given: ExternalNats): Promise<NatsForServices> {
  const version = await serverVersion(given.url).catch(() => undefined);
  if (version !== undefined) requireFloor(version, given.url);
  const { caFile, certFile, keyFile } = given;
  const files = {
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  };
  const login = {
    ...(given.user === undefined ? {} : { user: given.user }),
    ...(given.password === undefined ? {} : { password: new TextDecoder().decode(given.password.expose()) }),
  };
  const tls = Object.keys(files).length === 0 ? {} : { tls: files };
  return {
    access: { url: given.url, version: version ?? 'unknown', embedded: false },
    options: { url: given.url, ...login, ...tls },
    urlForServices: undefined,
    async version() {
      const now = await serverVersion(given.url);
      requireFloor(now, given.url);
      return now;
    },
    stop: async () => undefined,
  };
}

function requireFloor(version: string, url: string): void {
  const wanted = natsWanted();
  if (meetsFloor(version, wanted) || process.env.CULVERT_DEV !== undefined) return;
  throw new NatsRefused(
    `nats-server ${version} at ${url} is below ${wanted.floor} and can lose acknowledged writes: ` +
      'upgrade it (CULVERT_DEV=1 runs with it all the same, for development)',
  );
}

const INFO_WITHIN_MS = 2_000;

export function serverVersion(url: string): Promise<string> {
  return natsVersion(url, INFO_WITHIN_MS);
}
