/**
 * The load generator: dials sessions through the scripted client over real UDP, keeps them, and reports on
 * standard output, one JSON line per question asked on standard input:
 * `{"dial": 300, "concurrency": 16, "first": 1}` or `{"hangUp": true}`.
 */
import { createInterface } from 'node:readline';
import { systemClock } from '@culvert/host';
import { ipv4 } from '../peer/client.ts';
import { type DialledClient, overUdp, until } from '../peer/over-udp.ts';
import { macos, modern, type PeerProfile, windows10 } from '../peer/profile.ts';

export interface LoadOrder {
  readonly dial?: number;
  readonly concurrency?: number;
  readonly first?: number;
  readonly hangUp?: boolean;
}

export interface LoadReport {
  readonly dialled: number;
  readonly failed: number;
  readonly seconds: number;
  readonly medianMs: number;
  readonly worstMs: number;
  readonly firstFailure?: string;
  readonly cpuSeconds: number;
}

const GATEWAY = '127.0.0.1';
const SET_UP_LIMIT_MS = 30_000;
const PROFILES: Readonly<Record<string, PeerProfile>> = { macos, modern, windows10 };
const profile = PROFILES[process.env.CULVERT_BENCH_PROFILE ?? 'macos'] ?? macos;
const credentials = {
  psk: process.env.CULVERT_BENCH_PSK ?? '',
  user: process.env.CULVERT_BENCH_USER ?? '',
  password: process.env.CULVERT_BENCH_PASSWORD ?? '',
};
const alive: DialledClient[] = [];

async function one(index: number): Promise<number> {
  const begun = systemClock.elapsed();
  // Every client has a private address of its own, as behind one NAT or many.
  const address = ipv4(`10.${100 + ((index >>> 16) & 0x3f)}.${(index >>> 8) & 0xff}.${index & 0xff}`);
  const options = { profile, ...credentials, address, gateway: ipv4(GATEWAY) };
  const dialled = await overUdp(options, GATEWAY);
  dialled.client.dial();
  try {
    const { client } = dialled;
    await until(
      () => client.up || client.ended !== undefined || client.ike.stage === 'failed',
      'set-up',
      SET_UP_LIMIT_MS,
    );
    if (!client.up) throw new Error(client.ended ?? client.ppp.refusal ?? `IKE ${client.ike.stage}`);
  } catch (error) {
    dialled.close();
    throw error;
  }
  alive.push(dialled);
  return systemClock.elapsed() - begun;
}

async function dial(count: number, concurrency: number, first: number): Promise<LoadReport> {
  const begun = systemClock.elapsed();
  const cpu = process.cpuUsage();
  const times: number[] = [];
  const failures: string[] = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const index = first + next;
      next += 1;
      try {
        times.push(await one(index));
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const spent = process.cpuUsage(cpu);
  const sorted = times.toSorted((a, b) => a - b);
  const [firstFailure] = failures;
  return {
    dialled: times.length,
    failed: failures.length,
    seconds: (systemClock.elapsed() - begun) / 1000,
    medianMs: sorted[sorted.length >>> 1] ?? 0,
    worstMs: sorted.at(-1) ?? 0,
    cpuSeconds: (spent.user + spent.system) / 1e6,
    ...(firstFailure === undefined ? {} : { firstFailure }),
  };
}

async function hangUp(): Promise<LoadReport> {
  const begun = systemClock.elapsed();
  for (const { client } of alive) client.hangUp();
  await until(() => alive.every(({ client }) => client.ended !== undefined), 'hang up', SET_UP_LIMIT_MS);
  const count = alive.length;
  for (const dialled of alive.splice(0)) dialled.close();
  const seconds = (systemClock.elapsed() - begun) / 1000;
  return { dialled: count, failed: 0, seconds, medianMs: 0, worstMs: 0, cpuSeconds: 0 };
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as LoadOrder;
  const report =
    order.hangUp === true
      ? await hangUp()
      : await dial(order.dial ?? 1, order.concurrency ?? 1, order.first ?? 1);
  process.stdout.write(`${JSON.stringify(report)}\n`);
}
process.exit(0);
