import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { daemon, end, until } from '../../interop/lab/command.ts';
import type { Guest } from '../../interop/lab/guest.ts';
import type { Bed, End } from './bed.ts';

const STOP_MS = 8_000;
const START_MS = 60_000;
const POLL_MS = 20;

/** Addresses inside a tunnel between which traffic can run, from the client to the gateway. */
export interface Path {
  readonly from: string;
  readonly to: string;
}

/** What is measured: two processes between which packets flow already. */
export interface Tunnel {
  /** The process of each end, or all of a server's; none where packets take the bare cable. */
  readonly pids: readonly number[];
  readonly paths: readonly Path[];
  /** The device at the clients' end. */
  readonly device: string;
  /** What it says of itself, such as its cipher implementation. */
  readonly about?: string;
  /** A client in a machine of its own that has dialled in, and the processes of which it and its peer consist. */
  readonly guest?: Guest;
  readonly loadPids?: () => Promise<readonly number[]>;
  close(): Promise<void>;
}

/** Where a tunnel finds programs that were built, and may leave files. */
export interface Room {
  readonly bed: Bed;
  readonly folder: string;
  readonly programs: Programs;
}

export interface Programs {
  readonly load: string;
  readonly prototype: string | undefined;
  readonly wireguardGo: string | undefined;
}

/** A program at one end that goes on; what it prints is in a file of its own. */
export interface Running {
  readonly pid: number;
  printed(): string;
  /** Waits for the first line that matches, and answers what the expression captured. */
  says(expression: RegExp): Promise<string>;
  /** Waits until it ends by itself. */
  ended(): Promise<void>;
  stop(): Promise<void>;
}

let started = 0;

/** `ip netns exec` becomes the program, so the process is the program's own. */
export function start(
  { bed, folder }: Room,
  at: End,
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Running {
  const log = join(folder, `${++started}.log`);
  const child = daemon(log, ...bed.within(at, ...words), env);
  if (child.pid === undefined) throw new Error(`${words[0]} did not start`);
  const printed = (): string => readFileSync(log, 'utf8');
  const over = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const says = (expression: RegExp): Promise<string> =>
    until(
      `${words.join(' ')} to say ${expression}`,
      START_MS,
      async () => {
        const found = expression.exec(printed());
        if (found === null && over())
          throw new Error(`${words.join(' ')} ended:\n${printed().slice(-2_000)}`);
        return found === null ? undefined : (found[1] ?? found[0]);
      },
      POLL_MS,
    );
  return { pid: child.pid, printed, says, ended: () => gone(child, over, words), stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  await end(child, STOP_MS);
}

async function gone(child: ChildProcess, over: () => boolean, words: readonly string[]): Promise<void> {
  await until(`${words.join(' ')} to end`, START_MS, async () => (over() ? true : undefined), POLL_MS);
  if (child.exitCode !== 0)
    throw new Error(`${words.join(' ')} left with ${child.exitCode ?? child.signalCode}`);
}

/** Waits for a device that a program makes in its namespace. */
export async function deviceAppears(bed: Bed, at: End, device: string): Promise<void> {
  const asked = async () => {
    const links = await bed.ip(at, '-o link show');
    return links.includes(` ${device}: `) ? true : undefined;
  };
  await until(`the device ${device}`, START_MS, asked, POLL_MS);
}

/** The path of a program that Debian's packages bring, or undefined. */
export function installed(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/lib/ipsec'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
