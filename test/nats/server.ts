import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A nats-server of a test: loopback, a port of its own, storage in a folder that goes with it. */
export interface TestServer {
  readonly url: string;
  start(): Promise<void>;
  /** SIGKILL: what a crash leaves is what there is at the next start. */
  kill(): Promise<void>;
  remove(): Promise<void>;
}

const READY_MS = 10_000;
const CACHED = new URL('../../.cache/bin/nats-server', import.meta.url).pathname;

/** Every server found, so that the contract is checked on the floor version where it is at hand. */
export function natsServers(): readonly { readonly path: string; readonly version: string }[] {
  const named = process.env.CULVERT_NATS_SERVER;
  const onPath = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'nats-server'));
  const places = [...(named === undefined ? [] : [named]), CACHED, ...onPath, '/usr/sbin/nats-server'];
  const found = new Map<string, string>();
  for (const path of places) {
    if (!existsSync(path)) continue;
    const version = /v([\d.]+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))?.[1];
    if (version !== undefined && !found.has(version)) found.set(version, path);
  }
  if (found.size === 0) {
    throw new Error('no nats-server found: run deploy/setup, or name one in CULVERT_NATS_SERVER');
  }
  return [...found].map(([version, path]) => ({ path, version }));
}

export async function testServer(path: string): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'culvert-nats-'));
  const port = await freePort();
  let child: ChildProcess | undefined;
  const kill = async () => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await gone;
  };
  return {
    url: `nats://127.0.0.1:${port}`,
    async start() {
      const args = ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder];
      child = spawn(path, args, { stdio: ['ignore', 'ignore', 'pipe'] });
      await ready(child);
    },
    kill,
    async remove() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function ready(child: ChildProcess): Promise<void> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const until = performance.now() + READY_MS;
  while (!said.includes('Server is ready')) {
    if (child.exitCode !== null || performance.now() > until)
      throw new Error(`nats-server did not start:\n${said}`);
    await delay(10);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
