import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * How the command line finds the gateway that runs on this state directory. The file has mode 0600: it
 * holds the credentials of the embedded nats-server.
 */
export interface RunState {
  readonly version: 1;
  readonly pid: number;
  /** Field 22 of /proc/pid/stat: tells the launcher from another process with a recycled number. */
  readonly startTicks: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly configFile: string;
  readonly nats: {
    readonly url: string;
    readonly user?: string;
    readonly password?: string;
    readonly version: string;
    readonly embedded: boolean;
  };
}

export function runStatePath(stateDir: string): string {
  return join(stateDir, 'run.json');
}

export function writeRunState(stateDir: string, state: RunState): void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const path = runStatePath(stateDir);
  const draft = `${path}.${state.pid}`;
  writeFileSync(draft, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, path);
}

export function removeRunState(stateDir: string): void {
  rmSync(runStatePath(stateDir), { force: true });
}

/** The state of a gateway that is alive; undefined when there is none, or only what a dead one left. */
export function readRunState(stateDir: string): RunState | undefined {
  let state: RunState;
  try {
    state = JSON.parse(readFileSync(runStatePath(stateDir), 'utf8')) as RunState;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EACCES') throw error;
    return undefined;
  }
  return state.version === 1 && startTicksOf(state.pid) === state.startTicks ? state : undefined;
}

/** Undefined when there is no such process. */
export function startTicksOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
