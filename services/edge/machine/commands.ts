import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** A program of the system said no; the message has its words. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

async function run(program: string, args: readonly string[]): Promise<void> {
  try {
    await execute(program, [...args]);
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    const why = said || (error instanceof Error ? error.message : String(error));
    throw new CommandFailed(`${program} ${args.join(' ')}: ${why}`, { cause: error });
  }
}

/** Through a file, for both programs read their own language from one and take it as one transaction. */
async function withFile(text: string, use: (path: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'culvert-'));
  try {
    const path = join(directory, 'commands');
    await writeFile(path, text, { mode: 0o600 });
    await use(path);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export function ipBatch(lines: readonly string[]): Promise<void> {
  return withFile(`${lines.join('\n')}\n`, (path) => run('ip', ['-batch', path]));
}

export function nft(script: string): Promise<void> {
  return withFile(script, (path) => run('nft', ['-f', path]));
}

export async function readSysctl(name: string): Promise<string> {
  return (await readFile(sysctlPath(name), 'utf8')).trim();
}

export function setSysctl(name: string, value: string): Promise<void> {
  return writeFile(sysctlPath(name), value);
}

function sysctlPath(name: string): string {
  return join('/proc/sys', ...name.split('.'));
}
