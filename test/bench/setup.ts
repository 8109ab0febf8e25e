/**
 * `npm run bench:setup [-- --json]`: set-ups per second, processor time per set-up by stage, memory per idle
 * session by service. Gateway and load generator share the machine, in a network namespace of their own.
 * CULVERT_BENCH_PROFILE chooses the client: macos (group 14, the default), windows10 (group 20, whose curve
 * costs OpenSSL several times as much, at both ends), modern (group 19).
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '@culvert/host';
import { until } from '../peer/over-udp.ts';
import type { LoadOrder, LoadReport } from './load.ts';
import { commit, machine, median, table } from './machine.ts';
import { stagesOf, type Usage, usageOf } from './processes.ts';

const RUNS = 3;
const WARM_UP = 100;
const SETUPS_PER_RUN = 300;
const IDLE_SESSIONS = 600;
const CONCURRENCY = 24;
const SETTLE_MS = 3_000;

const json = process.argv.includes('--json');
const profile = process.env.CULVERT_BENCH_PROFILE ?? 'macos';
const namespace = `culvert-bench-${process.pid}`;
const folder = mkdtempSync(join(tmpdir(), 'culvert-bench-'));
const secrets = {
  psk: randomBytes(24).toString('base64url'),
  user: 'bench',
  password: randomBytes(12).toString('base64url'),
};
const inside = (...command: string[]) => ['netns', 'exec', namespace, ...command];

function configuration(): string {
  return `
stateDir: ${folder}/state
listen: [{ name: main, addresses: ["127.0.0.1"] }]
psks: [{ name: bench, secret: "${secrets.psk}" }]
users: [{ name: ${secrets.user}, password: "${secrets.password}" }]
pool: { ipv4: 10.64.0.0/16 }
ike: { halfOpenPerSourceMax: 1000 }
edge: { tun: bench0, snat: false }
telemetry: { logLevel: warn, sampling: 0 }
`;
}

function startGateway(): ChildProcess {
  execFileSync('ip', ['netns', 'add', namespace]);
  execFileSync('ip', inside('ip', 'link', 'set', 'lo', 'up'));
  writeFileSync(join(folder, 'culvert.yaml'), configuration(), { mode: 0o600 });
  const log = openSync(join(folder, 'gateway.log'), 'w');
  const command = [process.execPath, 'services/cli/main.ts', 'up', '--config', join(folder, 'culvert.yaml')];
  // With it, each service collects its garbage before it says how much memory it uses.
  const env = { ...process.env, NODE_OPTIONS: '--expose-gc' };
  return spawn('ip', inside(...command), { stdio: ['ignore', log, log], env });
}

/** One question to the load generator, one answer. */
class Load {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor() {
    const env = {
      ...process.env,
      CULVERT_BENCH_PSK: secrets.psk,
      CULVERT_BENCH_USER: secrets.user,
      CULVERT_BENCH_PASSWORD: secrets.password,
    };
    const command = inside(process.execPath, 'test/bench/load.ts');
    this.#child = spawn('ip', command, { stdio: ['pipe', 'pipe', 'inherit'], env });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('the load generator has no output');
    this.#answers = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  async order(order: LoadOrder): Promise<LoadReport> {
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    const line = await this.#answers.next();
    if (line.done === true) throw new Error('the load generator ended');
    const report = JSON.parse(line.value) as LoadReport;
    if (report.failed > 0)
      throw new Error(`${report.failed} set-ups failed, the first: ${report.firstFailure}`);
    return report;
  }

  end(): void {
    this.#child.kill('SIGTERM');
  }
}

interface Status {
  readonly healthy: boolean;
  readonly services: Readonly<Record<string, { readonly inUseBytes: number } | null>>;
}

/** Undefined while there is nobody to ask. */
function status(): Status | undefined {
  const state = join(folder, 'state');
  const command = [process.execPath, 'services/cli/main.ts', 'status', '--json', '--state', state];
  const asked = spawnSync('ip', inside(...command), { encoding: 'utf8' });
  try {
    return JSON.parse(asked.stdout) as Status;
  } catch {
    return undefined;
  }
}

const serving = () => until(() => status()?.healthy === true, 'the gateway', 60_000);

const pause = (ms: number) => new Promise<void>((resolve) => void systemClock.after(ms, resolve));

function usages(stages: ReadonlyMap<string, number>): Map<string, Usage> {
  return new Map([...stages].map(([stage, pid]) => [stage, usageOf(pid)]));
}

async function measure(launcher: number, load: Load) {
  await serving();
  const stages = stagesOf(launcher);
  let first = 1;
  const dial = (count: number) => {
    const order = { dial: count, concurrency: CONCURRENCY, first };
    first += count;
    return load.order(order);
  };
  await dial(WARM_UP);
  await load.order({ hangUp: true });
  // Memory comes first: a heap that has once been large would hide what a session adds.
  const empty = await idle(stages);
  await dial(IDLE_SESSIONS);
  const full = await idle(stages);
  const memory = new Map(
    [...full].map(([stage, bytes]) => [stage, (bytes - (empty.get(stage) ?? 0)) / IDLE_SESSIONS]),
  );
  await load.order({ hangUp: true });
  const runs: { rate: number; medianMs: number; cpu: Map<string, number> }[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    await pause(SETTLE_MS);
    const before = usages(stages);
    const report = await dial(SETUPS_PER_RUN);
    const after = usages(stages);
    const spent = [...after].map(([stage, usage]): [string, number] => {
      const ms = (usage.cpuSeconds - (before.get(stage)?.cpuSeconds ?? 0)) * 1000;
      return [stage, ms / SETUPS_PER_RUN];
    });
    const cpu = new Map([...spent, ['clients', (report.cpuSeconds * 1000) / SETUPS_PER_RUN]]);
    runs.push({ rate: report.dialled / report.seconds, medianMs: report.medianMs, cpu });
    await load.order({ hangUp: true });
  }
  return { runs, memory };
}

/**
 * Octets in use by stage: the heap of a service with one thread, the proportional set size of the others.
 * A heap's size in the system says how much garbage it once had, not what its sessions take.
 */
async function idle(stages: ReadonlyMap<string, number>): Promise<Map<string, number>> {
  await pause(SETTLE_MS);
  // The first question makes every service collect its garbage, the second finds what that left.
  status();
  const services = status()?.services ?? {};
  return new Map(
    [...usages(stages)].map(([stage, usage]) => {
      const inUse = stage === 'edge' ? undefined : services[stage]?.inUseBytes;
      return [stage, inUse ?? usage.bytes];
    }),
  );
}

function print({ runs, memory }: Awaited<ReturnType<typeof measure>>): void {
  const rates = runs.map((run) => run.rate);
  const stages = [...memory.keys(), 'clients'];
  const cpuOf = (stage: string) => median(runs.map((run) => run.cpu.get(stage) ?? 0));
  const rows = stages.map((stage) => [
    stage,
    cpuOf(stage).toFixed(2),
    memory.has(stage) ? ((memory.get(stage) ?? 0) / 1024).toFixed(1) : '',
  ]);
  const total = [...memory.values()].reduce((sum, bytes) => sum + bytes, 0);
  process.stdout.write(
    `${machine()}, commit ${commit()}\n` +
      `${runs.length} runs of ${SETUPS_PER_RUN} set-ups, ${CONCURRENCY} at a time, as ${profile}; clients on the same machine\n\n` +
      `set-ups per second  median ${median(rates).toFixed(0)}, ${Math.min(...rates).toFixed(0)} to ${Math.max(...rates).toFixed(0)}\n` +
      `time per set-up     median ${median(runs.map((run) => run.medianMs)).toFixed(0)} ms\n\n` +
      `${table(['stage', 'cpu ms/set-up', 'KiB/idle session'], rows)}\n` +
      `sum of services: ${(total / 1024).toFixed(1)} KiB per idle session\n`,
  );
  if (!json) return;
  const round = (value: number) => Math.round(value * 100) / 100;
  const line = {
    setups_per_second: round(median(rates)),
    cpu_ms_per_setup: Object.fromEntries(stages.map((stage) => [stage, round(cpuOf(stage))])),
    bytes_per_idle_session: Object.fromEntries(
      [...memory].map(([stage, bytes]) => [stage, Math.round(bytes)]),
    ),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const gateway = startGateway();
const load = new Load();
try {
  if (gateway.pid === undefined) throw new Error('the gateway did not start');
  print(await measure(gateway.pid, load));
} catch (error) {
  process.stderr.write(
    `${readFileSync(join(folder, 'gateway.log'), 'utf8').split('\n').slice(-40).join('\n')}\n`,
  );
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
} finally {
  load.end();
  gateway.kill('SIGTERM');
  await until(() => gateway.exitCode !== null || gateway.signalCode !== null, 'the gateway to stop', 20_000);
  execFileSync('ip', ['netns', 'delete', namespace]);
  rmSync(folder, { recursive: true, force: true });
}
