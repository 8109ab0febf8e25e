import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Two ends of a tunnel in two network namespaces joined by a veth pair, with sessions written by hand: the
 * edge's packet workers and nothing else. Root only.
 */
export interface Tunnel {
  /** Runs a program at one end; answers what it printed. */
  in(end: 0 | 1, ...command: readonly string[]): string;
  start(end: 0 | 1, ...command: readonly string[]): ChildProcess;
  readonly ends: readonly [ChildProcess, ChildProcess];
  /** What an end wrote to its error output. */
  said(end: 0 | 1): string;
  close(): Promise<void>;
}

const INNER = ['10.100.0.1', '10.101.0.1'] as const;
const OUTER = ['10.88.0.1', '10.88.0.2'] as const;
const READY_MS = 20_000;

export async function openTunnel(
  change: { readonly workers?: number; readonly suite?: string } = {},
): Promise<Tunnel> {
  const names = [0, 1].map((end) => `culvert-${process.pid}-${end}`) as [string, string];
  const folder = mkdtempSync(join(tmpdir(), 'culvert-tunnel-'));
  const ip = (...args: readonly string[]) => execFileSync('ip', [...args], { encoding: 'utf8' });
  const said: [string, string] = ['', ''];
  const started: ChildProcess[] = [];
  const close = async () => {
    for (const child of started) child.kill('SIGKILL');
    for (const name of names) {
      try {
        ip('netns', 'del', name);
      } catch {
        // It was not made.
      }
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const name of names) ip('netns', 'add', name);
    ip('-n', names[0], 'link', 'add', 'outer', 'type', 'veth', 'peer', 'name', 'outer', 'netns', names[1]);
    for (const end of [0, 1] as const) {
      ip('-n', names[end], 'addr', 'add', `${OUTER[end]}/24`, 'dev', 'outer');
      for (const device of ['outer', 'lo']) ip('-n', names[end], 'link', 'set', device, 'up');
    }
    const ends = [0, 1].map((role) => {
      const path = join(folder, `${role}.json`);
      writeFileSync(path, JSON.stringify(endConfig(role as 0 | 1, change)));
      const program = new URL('../../services/edge/bench/end.ts', import.meta.url).pathname;
      const child = spawn('ip', ['netns', 'exec', names[role as 0 | 1], process.execPath, program, path]);
      started.push(child);
      child.stderr.on('data', (text: Buffer) => {
        said[role as 0 | 1] += text.toString();
      });
      return child;
    }) as unknown as [ChildProcess, ChildProcess];
    await Promise.all(ends.map((child) => ready(child)));
    for (const end of [0, 1] as const) {
      const [own, other] = end === 0 ? [INNER[0], '10.101.0.0/16'] : [INNER[1], '10.100.0.0/16'];
      ip('-n', names[end], 'addr', 'add', `${own}/32`, 'dev', 'cvb0');
      ip('-n', names[end], 'link', 'set', 'cvb0', 'mtu', '1400', 'up');
      ip('-n', names[end], 'route', 'add', other, 'dev', 'cvb0', 'src', own);
    }
    return {
      in: (end, ...command) =>
        execFileSync('ip', ['netns', 'exec', names[end], ...command], { encoding: 'utf8', timeout: 60_000 }),
      start(end, ...command) {
        const child = spawn('ip', ['netns', 'exec', names[end], ...command]);
        started.push(child);
        return child;
      },
      ends,
      said: (end) => said[end],
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function endConfig(
  role: 0 | 1,
  { workers = 1, suite = 'aes-gcm-16-256' }: { workers?: number; suite?: string },
) {
  const addresses = role === 0 ? OUTER : [OUTER[1], OUTER[0]];
  return {
    role,
    local: addresses[0],
    peer: addresses[1],
    workers,
    suite,
    tun: 'cvb0',
    mtu: 1400,
    backend: '',
    sessions: 1,
    family: 4,
    coalesce: true,
    gso: true,
    gro: true,
  };
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('the end of a tunnel did not start in time')), READY_MS);
    child.stdout?.on('data', (text: Buffer) => {
      if (!text.toString().includes('"ready":true')) return;
      clearTimeout(late);
      resolve();
    });
    child.once('exit', (code) => reject(new Error(`the end of a tunnel has ended with ${code}`)));
  });
}
