import { spawnSync } from 'node:child_process';
import { existsSync, readlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Bus, connectNats } from '@culvert/bus';
import { defaultStateDir, loadConfig } from '@culvert/config';
import { configFileFor, type RunState, readRunState } from '@culvert/service-gateway';
import { CommandFailed } from './failure.ts';

/** The options that every command takes. */
export interface Place {
  readonly config?: string;
  readonly state?: string;
}

const CONNECT_MS = 3_000;
/** Tells a command that it already runs where the gateway is. */
const ENTERED = 'CULVERT_ENTERED';

/** The configuration that `culvert up` would use, without making one. */
export function configAt({ config, state }: Place): ReturnType<typeof loadConfig> {
  const file = configFileFor(config, state);
  if (!existsSync(file)) {
    throw new CommandFailed({
      field: '--config',
      value: file,
      problem: 'names no file',
      remedy: 'give the configuration with --config FILE, or make a first one with culvert up',
    });
  }
  if (state !== undefined) process.env.CULVERT_STATE = resolve(state);
  return loadConfig(file);
}

function stateDirOf({ config, state }: Place): string {
  if (state !== undefined) return resolve(state);
  if (config !== undefined) return loadConfig(config).stateDir;
  const usual = process.env.CULVERT_STATE ?? defaultStateDir();
  if (readRunState(usual) !== undefined) return usual;
  const file = configFileFor(undefined, undefined);
  return existsSync(file) ? loadConfig(file).stateDir : usual;
}

/** Runs `work` with a connection to the gateway that runs here. */
export async function withGateway<T>(
  place: Place,
  work: (bus: Bus, state: RunState) => Promise<T>,
): Promise<T> {
  const stateDir = stateDirOf(place);
  const state = runStateOf(stateDir);
  if (state === undefined) {
    throw new CommandFailed({
      field: 'the gateway',
      value: stateDir,
      problem: 'does not run on this state directory',
      remedy: 'start it with culvert up, or name its --config or --state',
    });
  }
  enterNamespaceOf(state.pid);
  const bus = await connect(state);
  try {
    return await work(bus, state);
  } finally {
    await bus.close();
  }
}

/** The gateway that runs on this state directory, if any. */
export function runStateOf(stateDir: string): RunState | undefined {
  try {
    return readRunState(stateDir);
  } catch {
    throw new CommandFailed({
      field: 'the gateway',
      value: stateDir,
      problem: 'belongs to another user',
      remedy: 'run the command as the user that runs the gateway, usually root',
    });
  }
}

async function connect(state: RunState): Promise<Bus> {
  const { url, user, password } = state.nats;
  const configured = state.nats.embedded ? undefined : loadConfig(state.configFile).nats;
  const external = configured !== undefined && !configured.embedded ? configured : undefined;
  const { caFile, certFile, keyFile } = external ?? {};
  const files = {
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  };
  const secret =
    external?.password === undefined ? password : new TextDecoder().decode(external.password.expose());
  try {
    return await connectNats({
      url,
      name: 'culvert command',
      user: external?.user ?? user,
      password: secret,
      tls: Object.keys(files).length === 0 ? undefined : files,
      signal: AbortSignal.timeout(CONNECT_MS),
    });
  } catch {
    throw new CommandFailed({
      field: 'NATS',
      value: url,
      problem: 'does not answer',
      remedy: 'see the log of culvert up; culvert doctor tells what this machine lacks',
    });
  }
}

/**
 * The embedded server listens on the loopback of the gateway's network namespace. If that is another one,
 * the same command is run again inside it.
 */
export function enterNamespaceOf(pid: number): void {
  if (process.env[ENTERED] !== undefined || namespaceOf('self') === namespaceOf(String(pid))) return;
  const args = ['-t', String(pid), '-n', process.execPath, ...process.argv.slice(1)];
  const { status, error } = spawnSync('nsenter', args, {
    stdio: 'inherit',
    env: { ...process.env, [ENTERED]: '1' },
  });
  if (error !== undefined) {
    throw new CommandFailed({
      field: 'the gateway',
      value: `process ${pid}`,
      problem: 'runs in another network namespace',
      remedy: 'run the command there: ip netns exec NAME culvert ...',
    });
  }
  process.exit(status ?? 1);
}

function namespaceOf(process: string): string | undefined {
  try {
    return readlinkSync(`/proc/${process}/ns/net`);
  } catch {
    return undefined;
  }
}
