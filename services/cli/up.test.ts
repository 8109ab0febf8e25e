import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { findNatsServer } from '@culvert/service-gateway';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const CULVERT = fileURLToPath(new URL('culvert', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'culvert-up-'));
const state = join(folder, 'state');

function able(): boolean {
  try {
    accessSync('/dev/net/tun', constants.W_OK);
  } catch {
    return false;
  }
  return process.geteuid?.() === 0 && findNatsServer(process.env) !== undefined;
}

interface Line {
  readonly event?: string;
  readonly pid?: number;
  readonly service?: string;
  readonly [field: string]: unknown;
}

/** The real services, in a network namespace of their own whose loopback is still down. */
describe.runIf(able())('culvert up in a new network namespace', () => {
  const lines: Line[] = [];
  let gateway: ChildProcess;
  let ended: Promise<number | null>;

  beforeAll(async () => {
    gateway = spawn('unshare', ['-n', CULVERT, 'up', '--state', state, '--json'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    ended = new Promise((settle) => gateway.once('close', settle));
    const ready = Promise.withResolvers<void>();
    if (gateway.stdout === null) throw new Error('no output');
    createInterface({ input: gateway.stdout }).on('line', (line) => {
      const told = JSON.parse(line) as Line;
      lines.push(told);
      if (told.event === 'ready') ready.resolve();
    });
    const early = ended.then((status) => {
      throw new Error(`culvert up ended with ${status}: ${JSON.stringify(lines.slice(-5))}`);
    });
    await Promise.race([ready.promise, early]);
    early.catch(() => undefined);
  }, 90_000);

  afterAll(async () => {
    gateway?.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true });
  }, 30_000);

  async function culvert(...args: string[]): Promise<{ status: number | null; out: string }> {
    const child = spawn(CULVERT, [...args, '--state', state], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [out, status] = await Promise.all([
      text(child.stdout),
      new Promise<number | null>((settle) => child.once('close', settle)),
    ]);
    return { status, out };
  }

  test('made a configuration and started everything', () => {
    const started = lines.filter(({ event }) => event === 'started').map(({ service }) => service);
    expect(started).toEqual(['nats-server', 'aaa', 'ppp', 'l2tp', 'ike', 'edge']);
    const created = lines.find(({ event }) => event === 'created');
    expect(created).toMatchObject({ configFile: join(state, 'culvert.yaml'), user: 'culvert' });
    const others = lines
      .filter(({ event }) => event !== 'created')
      .map((line) => JSON.stringify(line))
      .join('\n');
    expect(others).not.toContain(String(created?.psk));
    expect(others).not.toContain(String(created?.password));
  });

  test('is found from outside of its namespace', async () => {
    const { status, out } = await culvert('status', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      healthy: true,
      services: { edge: { state: 'serving' }, aaa: { state: 'serving' } },
    });
    expect(await culvert('sessions')).toEqual({ status: 0, out: 'no sessions\n' });
  }, 30_000);

  test('shows no password in a list of processes', () => {
    const { password } = (
      JSON.parse(readFileSync(join(state, 'run.json'), 'utf8')) as { nats: { password: string } }
    ).nats;
    const commands = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(commandOf);
    expect(commands.filter((command) => command.includes(password))).toEqual([]);
  });

  test('stops in order when asked', async () => {
    const pid = lines.find(({ event }) => event === 'ready')?.pid ?? 0;
    process.kill(pid, 'SIGTERM');
    expect(await ended).toBe(0);
    expect(lines.at(-1)).toEqual({ event: 'stopped' });
    expect(lines.filter(({ event }) => event === 'ended')).toEqual([]);
    expect((await culvert('status')).status).toBe(1);
  }, 60_000);
});

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
