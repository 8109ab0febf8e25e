import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

export interface Answer {
  readonly status: number;
  /** Standard output and standard error, in the order they came. */
  readonly output: string;
}

/** Runs a program to its end; a status other than 0 is an answer, not an exception. */
export function attempt(program: string, args: readonly string[], timeoutMs = 60_000): Promise<Answer> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: timeoutMs, maxBuffer: 1 << 26 }, (error, out, err) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 255;
      resolve({ status, output: out + err });
    });
  });
}

/** The same where anything but success means that the lab itself is broken. */
export async function command(program: string, ...args: readonly string[]): Promise<string> {
  const { status, output } = await attempt(program, args);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: status ${status}\n${output}`);
  return output;
}

/**
 * A program that goes on, its words in a file. It dies with this process, whatever that dies of:
 * a lab must not leave a gateway behind.
 */
export function daemon(
  log: string,
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): ChildProcess {
  const file = openSync(log, 'a');
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
    stdio: ['ignore', file, file],
    env: { ...process.env, ...env },
  });
  closeSync(file);
  return child;
}

/** Ends a process politely, and after `graceMs` not so. Answers whether it went by itself. */
export function end(child: ChildProcess, graceMs: number): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(true);
  return new Promise((resolve) => {
    const forced = setTimeout(() => child.kill('SIGKILL'), graceMs);
    child.once('exit', (_code, signal) => {
      clearTimeout(forced);
      resolve(signal !== 'SIGKILL');
    });
    child.kill('SIGTERM');
  });
}

/** Asks again until there is an answer; names what it waited for when there is none. */
export async function until<T>(
  what: string,
  withinMs: number,
  ask: () => Promise<T | undefined>,
  everyMs = 250,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
