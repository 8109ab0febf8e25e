import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** A program in a namespace that is asked by lines of JSON and answers in order. */
export interface Running {
  readonly pid: number;
  /** The next line it says. */
  hear<T>(withinMs: number): Promise<T>;
  ask<T>(order: object, withinMs: number): Promise<T>;
  /** SIGTERM, and SIGKILL if it does not listen. */
  stop(): Promise<void>;
}

const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
const GRACE_MS = 3_000;

/**
 * In a process group of its own: Ctrl-C in a terminal reaches only who measures, who then cleans up in order.
 * Should that one be killed, the kernel kills its children (PR_SET_PDEATHSIG).
 */
export function runIn(namespace: string, file: URL, args: readonly string[], stop: AbortSignal): Running {
  const node = [process.execPath, file.pathname, ...args];
  const command = ['ip', 'netns', 'exec', namespace, ...node];
  const [program = 'ip', ...rest] =
    SETPRIV === undefined ? command : [SETPRIV, '--pdeathsig', 'KILL', '--', ...command];
  const child = spawn(program, rest, { stdio: 'pipe', detached: true });
  const words: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => words.push(line));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  // The end of a program is seen at its standard output; what could not be written to it says no more.
  child.stdin.on('error', () => undefined);
  let ended = false;
  const exited = new Promise<void>((settle) => {
    const end = () => {
      ended = true;
      settle();
    };
    child.once('error', (error) => {
      words.push(error.message);
      end();
    });
    child.once('close', end);
  });

  const next = async <T>(): Promise<T> => {
    const { value, done } = await lines.next();
    if (done !== true) return JSON.parse(value) as T;
    await exited;
    throw new Error(`${file.pathname} ended: ${words.slice(-5).join(' ')}`);
  };
  const running: Running = {
    pid: child.pid ?? -1,
    hear: (withinMs) => within(next(), withinMs, stop, file.pathname),
    ask(order, withinMs) {
      child.stdin.write(`${JSON.stringify(order)}\n`);
      return running.hear(withinMs);
    },
    async stop() {
      if (ended) return;
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
      await exited;
      clearTimeout(killer);
    },
  };
  return running;
}

/** Rejects when the time is over, or the whole measurement is to stop. */
async function within<T>(answer: Promise<T>, ms: number, stop: AbortSignal, name: string): Promise<T> {
  const over = AbortSignal.any([stop, AbortSignal.timeout(ms)]);
  return new Promise<T>((settle, refuse) => {
    const give = () =>
      refuse(stop.aborted ? stop.reason : new Error(`${name} did not answer within ${ms} ms`));
    if (over.aborted) give();
    over.addEventListener('abort', give, { once: true });
    answer.then(settle, refuse).finally(() => over.removeEventListener('abort', give));
  });
}
