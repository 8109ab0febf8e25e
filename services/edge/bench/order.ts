import { accessSync, constants, existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { SUITES, type Suite } from './sessions.ts';

/** What a user typed, unchecked. */
export interface Typed {
  readonly seconds?: string;
  readonly sessions?: string;
  readonly suites?: string;
}

export interface Order {
  /** Of one run. */
  readonly seconds: number;
  readonly sessions: number;
  readonly suites: readonly Suite[];
  /** Of the largest measurement; the smallest has one. */
  readonly workers: number;
}

/** Why nothing is measured: the option or thing, its value, what is wrong with it, and what to do. */
export class BenchRefused extends Error {
  override readonly name = 'BenchRefused';
  readonly fault: BenchFault;

  constructor(fault: BenchFault) {
    super(`${fault.field} ${fault.problem}`);
    this.fault = fault;
  }
}

export interface BenchFault {
  readonly field: string;
  readonly value?: string;
  readonly problem: string;
  readonly remedy: string;
}

const SECONDS = { least: 0.2, most: 60, usual: 0.8 };
const SESSIONS_MAX = 1_000;
/** As many as the edge starts when nobody says. */
const WORKERS_MAX = 4;
const DEFAULT_SUITES: readonly Suite[] = [
  'aes-gcm-16-256',
  'aes-cbc-256+hmac-sha1-96',
  'aes-cbc-256+hmac-sha2-256-128',
];

export function orderOf(typed: Typed, cores = availableParallelism()): Order {
  const workers = Math.min(WORKERS_MAX, cores);
  return {
    seconds: secondsOf(typed.seconds),
    sessions: sessionsOf(typed.sessions, workers),
    suites: suitesOf(typed.suites),
    workers,
  };
}

function secondsOf(value: string | undefined): number {
  if (value === undefined) return SECONDS.usual;
  const seconds = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
  if (seconds >= SECONDS.least && seconds <= SECONDS.most) return seconds;
  throw new BenchRefused({
    field: '--seconds',
    value,
    problem: 'is not a length of one run',
    remedy: `write a number from ${SECONDS.least} to ${SECONDS.most}`,
  });
}

function sessionsOf(value: string | undefined, workers: number): number {
  if (value === undefined) return workers;
  const sessions = /^\d+$/.test(value) ? Number(value) : 0;
  if (sessions >= 1 && sessions <= SESSIONS_MAX) return sessions;
  throw new BenchRefused({
    field: '--sessions',
    value,
    problem: 'is not a number of sessions',
    remedy: `write a whole number from 1 to ${SESSIONS_MAX}`,
  });
}

function suitesOf(value: string | undefined): readonly Suite[] {
  if (value === undefined) return DEFAULT_SUITES;
  const names = [...new Set(value.split(',').map((name) => name.trim()))];
  const known = names.filter((name): name is Suite => Object.hasOwn(SUITES, name));
  const unknown = names.find((name) => !Object.hasOwn(SUITES, name));
  if (unknown === undefined) return known;
  throw new BenchRefused({
    field: '--suites',
    value: unknown,
    problem: 'names no suite',
    remedy: `choose from ${Object.keys(SUITES).join(', ')}, with commas between`,
  });
}

/** Network namespaces and tun devices are made; what that needs is looked for before anything is. */
export function checkMachine(tun = '/dev/net/tun', path = process.env.PATH ?? ''): void {
  if (process.geteuid?.() !== 0) {
    throw new BenchRefused({
      field: 'culvert bench',
      problem: 'makes network namespaces and tun devices, which needs root',
      remedy: 'run it as root',
    });
  }
  try {
    accessSync(tun, constants.R_OK | constants.W_OK);
  } catch {
    throw new BenchRefused({
      field: 'the tun device',
      value: tun,
      problem: 'is not there',
      remedy: 'load the tun module (modprobe tun), or give the container the device',
    });
  }
  if (!path.split(delimiter).some((folder) => existsSync(join(folder, 'ip')))) {
    throw new BenchRefused({
      field: 'the program ip',
      problem: 'is not on PATH',
      remedy: 'run deploy/setup, or apt-get install iproute2',
    });
  }
}
