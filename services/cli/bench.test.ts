import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const CULVERT = fileURLToPath(new URL('culvert', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'culvert-bench-test-'));
afterAll(() => rmSync(folder, { recursive: true }));
const short = ['--seconds', '0.2', '--sessions', '1', '--suites', 'aes-gcm-16-256'];

/** With a TMPDIR of its own, which shows what is left of it. */
function start(args: readonly string[]) {
  const child = spawn(CULVERT, ['bench', ...args], { env: { ...process.env, TMPDIR: folder } });
  const status = new Promise<number | null>((settle) => child.once('close', settle));
  const ran = Promise.all([text(child.stdout), text(child.stderr), status]).then(([out, error, code]) => ({
    out,
    error,
    status: code,
  }));
  return { child, ran };
}

test.each([
  [['--seconds', '0'], 1, '--seconds is not a length of one run (0); write a number from 0.2 to 60'],
  [['--sessions', 'many'], 1, '--sessions is not a number of sessions (many); write a whole number'],
  [['--suites', 'rot13'], 1, '--suites names no suite (rot13); choose from aes-gcm-16-256'],
  [['--out', '/none/bench.svg'], 1, '--out cannot be written (/none/bench.svg); name a file'],
  [['--out', '/'], 1, '--out cannot be written (/)'],
  [['--frobnicate'], 64, "unknown option '--frobnicate'"],
])('%j', async (args, status, message) => {
  const ran = await start(args).ran;
  expect(ran).toMatchObject({ status, out: '' });
  expect(ran.error).toContain(message);
  expect(ran.error).not.toContain('    at ');
});

describe.runIf(process.geteuid?.() === 0 && existsSync('/dev/net/tun'))('with root and tun', () => {
  test('measures, draws, and leaves nothing behind', async () => {
    const out = join(folder, 'bench.svg');
    const { child, ran } = start([...short, '--out', out, '--json']);
    const { status, out: json, error } = await ran;
    expect(error).toBe('');
    expect(status).toBe(0);
    const { crypto, tunnel, packets, machine } = JSON.parse(json);
    expect(machine.cores).toBeGreaterThan(0);
    expect(crypto.length).toBeGreaterThan(0);
    expect(new Set(tunnel.map(({ direction }: { direction: string }) => direction))).toEqual(
      new Set(['up', 'down']),
    );
    for (const { bitsPerSecond, bitsPerCpuSecond } of tunnel) {
      expect(bitsPerSecond.min).toBeGreaterThan(0);
      expect(bitsPerCpuSecond).toBeGreaterThan(0);
    }
    expect(packets[0].packetsPerSecond.min).toBeGreaterThan(0);
    expect(readFileSync(out, 'utf8')).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect(child.pid).toBeDefined();
    expect(readdirSync(folder)).toEqual(['bench.svg']);
  }, 90_000);

  test('SIGINT cleans up', async () => {
    const { child, ran } = start(short);
    await expect.poll(() => namespacesOf(child.pid)).toHaveLength(2);
    const ours = namespacesOf(child.pid);
    child.kill('SIGINT');
    expect(await ran).toEqual({
      status: 1,
      out: '',
      error: expect.stringContaining('the measurement was stopped; nothing of it is left'),
    });
    expect(namespaces().filter((name) => ours.includes(name))).toEqual([]);
    expect(readdirSync(folder).filter((name) => name.startsWith('culvert-bench-'))).toEqual([]);
  }, 90_000);
});

function namespaces(): string[] {
  const lines = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).split('\n');
  return lines.map((line) => line.split(' ')[0] ?? '');
}

/** They are called after the process that measures, a child of the command. Others may measure as well. */
function namespacesOf(command: number | undefined): string[] {
  const children = readFileSync(`/proc/${command}/task/${command}/children`, 'utf8').trim().split(' ');
  return namespaces().filter((name) => children.includes(/^culvert-bench-(\d+)-/.exec(name)?.[1] ?? 'none'));
}
