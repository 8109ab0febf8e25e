import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface Program {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  onLine(line: string, stream: 'stdout' | 'stderr'): void;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The program could not be started at all. */
  readonly failure?: string;
}

export interface Child {
  readonly pid: number | undefined;
  readonly exited: Promise<Exit>;
  /** SIGTERM, and SIGKILL if it is still there after `graceMs`. */
  stop(graceMs: number): Promise<Exit>;
}

const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

/**
 * A child in a process group of its own: Ctrl-C in a terminal reaches the launcher only, which stops its
 * children in order. Should the launcher itself be killed, the kernel kills them (PR_SET_PDEATHSIG), so
 * that nobody is left holding the ports.
 */
export function startChild(program: Program): Child {
  const [file, ...args] =
    SETPRIV === undefined
      ? [program.file, ...program.args]
      : [SETPRIV, '--pdeathsig', 'KILL', '--', program.file, ...program.args];
  const child = spawn(file ?? program.file, args, {
    env: program.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  for (const stream of ['stdout', 'stderr'] as const) {
    createInterface({ input: child[stream] }).on('line', (line) => program.onLine(line, stream));
  }
  const exited = exitOf(child);
  return {
    pid: child.pid,
    exited,
    async stop(graceMs) {
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      const exit = await exited;
      clearTimeout(killer);
      return exit;
    },
  };
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((settle) => {
    child.once('error', (error) => settle({ code: null, signal: null, failure: error.message }));
    // `close` comes after the last line of output.
    child.once('close', (code, signal) => settle({ code, signal }));
  });
}

export function exitText(exit: Exit): string {
  if (exit.failure !== undefined) return `could not be started: ${exit.failure}`;
  return exit.signal === null ? `ended with code ${exit.code}` : `was ended by ${exit.signal}`;
}
