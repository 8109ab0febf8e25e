import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface NatsBinary {
  readonly path: string;
  readonly version: string;
}

/** What the project wants of a nats-server; the numbers stand in deploy/nats/version, for set-up as well. */
export interface NatsWanted {
  readonly pinned: string;
  /** Below it acknowledged writes can be lost; only the embedded server of one machine may run so. */
  readonly floor: string;
  /** Versions between the floor's line and this one are development versions. */
  readonly nextFloor: string;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export function natsWanted(): NatsWanted {
  const text = readFileSync(join(ROOT, 'deploy/nats/version'), 'utf8');
  const value = (name: string) => new RegExp(`^${name}=(\\S+)$`, 'm').exec(text)?.[1] ?? '';
  return { pinned: value('pinned'), floor: value('floor'), nextFloor: value('next_floor') };
}

/**
 * In the order of deploy/setup: CULVERT_NATS_SERVER names one; else a suitable one on PATH, else the one in
 * .cache/bin; one below the floor only when there is no better.
 */
export function findNatsServer(env: NodeJS.ProcessEnv): NatsBinary | undefined {
  const named = env.CULVERT_NATS_SERVER;
  if (named !== undefined && named !== '') return binaryAt(resolve(named));
  const folders = [...(env.PATH ?? '').split(delimiter), '/usr/sbin', join(ROOT, '.cache/bin')];
  const found = folders
    .filter((folder) => folder !== '')
    .map((folder) => binaryAt(join(folder, 'nats-server')))
    .filter((binary) => binary !== undefined);
  const wanted = natsWanted();
  return found.find((binary) => meetsFloor(binary.version, wanted)) ?? found[0];
}

function binaryAt(path: string): NatsBinary | undefined {
  try {
    accessSync(path, constants.X_OK);
  } catch {
    return undefined;
  }
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  const version = /v(\d+\.\d+\.\d+\S*)/.exec(stdout ?? '')?.[1];
  return version === undefined ? undefined : { path, version };
}

export function meetsFloor(version: string, wanted: NatsWanted): boolean {
  const [major, minor] = numbers(wanted.floor);
  const [haveMajor, haveMinor] = numbers(version);
  if (atLeast(version, wanted.nextFloor)) return true;
  return haveMajor === major && haveMinor === minor && atLeast(version, wanted.floor);
}

export function atLeast(version: string, least: string): boolean {
  const have = numbers(version);
  for (const [index, number] of numbers(least).entries()) {
    const ours = have[index] ?? 0;
    if (ours !== number) return ours > number;
  }
  return true;
}

function numbers(version: string): number[] {
  return version
    .replace(/^v/, '')
    .split(/[.+-]/)
    .slice(0, 3)
    .map((part) => Number.parseInt(part, 10) || 0);
}
