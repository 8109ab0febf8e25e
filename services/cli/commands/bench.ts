import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CommandFailed } from '../failure.ts';
import { answer, type Terminal } from '../terminal.ts';

export interface BenchOptions {
  readonly seconds?: string;
  readonly sessions?: string;
  readonly suites?: string;
  readonly out?: string;
}

/** What `services/edge/bench/main.ts` says, a line each. */
type Said =
  | { readonly type: 'progress'; readonly text: string }
  | { readonly type: 'failed'; readonly fault: ConstructorParameters<typeof CommandFailed>[0] }
  | { readonly type: 'stopped' }
  | { readonly type: 'done'; readonly result: object; readonly text: string; readonly chart: string };

const PROGRAM = fileURLToPath(new URL('../../edge/bench/main.ts', import.meta.url));
const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

/** Measures in a process of its own, as the launcher runs the edge; SIGINT and SIGTERM let it clean up. */
export async function bench({ out, ...typed }: BenchOptions, terminal: Terminal): Promise<void> {
  if (out !== undefined) checkPlace(out);
  const end = await measured(typed, (text) => {
    if (!terminal.json) terminal.error(terminal.paint('dim', text));
  });
  if (end.type === 'failed') throw new CommandFailed(end.fault);
  if (end.type === 'stopped') {
    terminal.error('the measurement was stopped; nothing of it is left');
    return terminal.fail();
  }
  if (out !== undefined) writeFileSync(out, end.chart);
  const chart = out === undefined ? '--out FILE.svg draws a chart of it.' : `The chart is in ${out}.`;
  answer(terminal, end.result, () => `${end.text}\n\n${chart}`);
}

function checkPlace(out: string): void {
  const folder = dirname(resolve(out));
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    if (!existsSync(out) || statSync(out).isFile()) return;
  } catch {
    // It is told below.
  }
  throw new CommandFailed({
    field: '--out',
    value: out,
    problem: 'cannot be written',
    remedy: 'name a file in a folder that is there',
  });
}

async function measured(
  typed: Omit<BenchOptions, 'out'>,
  progress: (text: string) => void,
): Promise<Exclude<Said, { type: 'progress' }>> {
  const command = [process.execPath, PROGRAM, JSON.stringify(typed)];
  // In a process group of its own, so that Ctrl-C reaches it once and through us; if we are killed it cleans up.
  const [file = process.execPath, ...args] =
    SETPRIV === undefined ? command : [SETPRIV, '--pdeathsig', 'TERM', '--', ...command];
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  const forward = () => void child.kill('SIGTERM');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, forward);
  let end: Exclude<Said, { type: 'progress' }> | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const said = JSON.parse(line) as Said;
    if (said.type === 'progress') progress(said.text);
    else end = said;
  });
  const why = await new Promise<string>((settle) => {
    child.once('error', (error) => settle(error.message));
    child.once('close', (code, signal) => settle(`ended with ${signal ?? code}`));
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, forward);
  if (end !== undefined) return end;
  return { type: 'failed', fault: { field: 'the measurement', problem: why, remedy: 'see culvert doctor' } };
}
