import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Grounds, makeGrounds } from './grounds.ts';
import type { Counted, LoadAnswer, LoadOrder } from './load.ts';
import type { Order } from './order.ts';
import { type Running, runIn } from './program.ts';
import { type PacketRow, spread, type TunnelRow } from './result.ts';
import { type EndConfig, innerAddress, type Suite } from './sessions.ts';

export const OUTER_MTU = 1_500;
/** What L2TP over ESP over UDP leaves of it with every suite. */
export const INNER_MTU = 1_400;
export const RUNS = 3;
/** With its IP header; about what a voice packet has. */
export const SMALL_PACKET_OCTETS = 64;

const WARM_MS = 100;
const START_MS = 20_000;
const FIRST_PORT = 5_201;
const TICKS_PER_SECOND = 100;
const TUN = 'cvb0';

export interface Forwarding {
  readonly tunnel: readonly TunnelRow[];
  readonly packets: readonly PacketRow[];
}

/** Real packets through real tunnels, between two namespaces that are gone afterwards. */
export async function measureForwarding(
  order: Order,
  say: (text: string) => void,
  stop: AbortSignal,
): Promise<Forwarding> {
  const folder = mkdtempSync(join(tmpdir(), 'culvert-bench-'));
  let grounds: Grounds | undefined;
  const started: Running[] = [];
  const start = (role: 0 | 1, file: URL, argument: string): Running => {
    const program = runIn(grounds?.names[role] ?? '', file, [argument], stop);
    started.push(program);
    return program;
  };
  try {
    grounds = makeGrounds(order.sessions, OUTER_MTU);
    const field = new Field(order, grounds, folder, start);
    await field.openLoads();
    const tunnel: TunnelRow[] = [];
    const packets: PacketRow[] = [];
    for (const suite of order.suites) {
      for (const workers of new Set([1, order.workers])) {
        const pair = await field.openEnds(suite, workers);
        for (const direction of ['up', 'down'] as const) {
          const row = await tunnelRow(field, pair, direction);
          say(`${described(pair)}, TCP ${direction}: ${(row.bitsPerSecond.median / 1e9).toFixed(2)} Gbit/s`);
          tunnel.push(row);
        }
        if (workers === order.workers) {
          const row = await packetRow(field, pair);
          const rate = Math.round(row.packetsPerSecond.median / 1e3);
          say(`${described(pair)}, small packets: ${rate} 000 a second`);
          packets.push(row);
        }
        await Promise.all(pair.ends.map((end) => end.stop()));
      }
    }
    return { tunnel, packets };
  } finally {
    await Promise.all(started.map((program) => program.stop()));
    grounds?.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Pair {
  readonly suite: Suite;
  readonly workers: number;
  readonly backend: string;
  readonly ends: readonly [Running, Running];
}

function described({ suite, workers }: Pair): string {
  return `${suite}, ${workers} ${workers === 1 ? 'worker' : 'workers'}`;
}

async function tunnelRow(field: Field, pair: Pair, direction: 'up' | 'down'): Promise<TunnelRow> {
  const { suite, backend, workers } = pair;
  const { rates, perCpuSecond } = await field.runs(pair, () => field.streams(direction));
  return { suite, backend, workers, direction, bitsPerSecond: spread(rates), bitsPerCpuSecond: perCpuSecond };
}

async function packetRow(field: Field, pair: Pair): Promise<PacketRow> {
  const { suite, backend, workers } = pair;
  const { rates, perCpuSecond } = await field.runs(pair, () => field.datagrams());
  return { suite, backend, workers, packetsPerSecond: spread(rates), packetsPerCpuSecond: perCpuSecond };
}

interface Runs {
  readonly rates: readonly number[];
  readonly perCpuSecond: number;
}

/** Both namespaces with their load programs, which stay while tunnels come and go. */
class Field {
  private readonly loads: [Running[], Running[]] = [[], []];
  private readonly ms: number;
  private readonly order: Order;
  private readonly grounds: Grounds;
  private readonly folder: string;
  private readonly start: (role: 0 | 1, file: URL, argument: string) => Running;

  constructor(
    order: Order,
    grounds: Grounds,
    folder: string,
    start: (role: 0 | 1, file: URL, argument: string) => Running,
  ) {
    this.order = order;
    this.ms = order.seconds * 1_000;
    this.grounds = grounds;
    this.folder = folder;
    this.start = start;
  }

  /** As many at each side as there can be workers, so that one thread of load does not hold up several. */
  async openLoads(): Promise<void> {
    const count = Math.min(this.order.workers, this.order.sessions);
    for (const role of [0, 1] as const) {
      for (let index = 0; index < count; index += 1) {
        this.loads[role].push(
          this.start(role, new URL('./load.ts', import.meta.url), `${FIRST_PORT + index}`),
        );
      }
    }
    await Promise.all(this.loads.flat().map((load) => load.hear<LoadAnswer>(START_MS)));
  }

  async openEnds(suite: Suite, workers: number): Promise<Pair> {
    const open = async (role: 0 | 1) => {
      const config: EndConfig = {
        role,
        local: this.grounds.outer[role],
        peer: this.grounds.outer[1 - role] ?? '',
        suite,
        sessions: this.order.sessions,
        mtu: INNER_MTU,
        family: 4,
        workers,
        tun: TUN,
        backend: '',
        coalesce: true,
        gso: true,
        gro: true,
      };
      const file = join(this.folder, `end-${role}.json`);
      writeFileSync(file, JSON.stringify(config));
      const end = this.start(role, new URL('./end.ts', import.meta.url), file);
      const { backend } = await end.hear<{ readonly backend: string }>(START_MS);
      this.grounds.wire(role, TUN, INNER_MTU);
      return { end, backend: backend.split(' ')[0] ?? '' };
    };
    const [clients, gateway] = await Promise.all([open(0), open(1)]);
    return { suite, workers, backend: gateway.backend, ends: [clients.end, gateway.end] };
  }

  async runs(pair: Pair, once: () => Promise<Counted>): Promise<Runs> {
    const { pid } = pair.ends[1];
    const rates: number[] = [];
    let all = 0;
    const before = cpuSeconds(pid);
    while (rates.length < RUNS) {
      const counted = await once();
      rates.push(counted.rate);
      all += counted.all;
    }
    // A tick at least: a very short run may not fill one.
    const spent = Math.max(cpuSeconds(pid) - before, 1 / TICKS_PER_SECOND);
    return { rates, perCpuSecond: all / spent };
  }

  /** Who receives connects; the other side sends to whoever does. */
  async streams(direction: 'up' | 'down'): Promise<Counted> {
    const role = direction === 'up' ? 1 : 0;
    return this.ask(this.loads[role], (index) => ({
      order: 'receive',
      streams: this.addresses(role, index).map((pair) => ({ ...pair, port: FIRST_PORT + index })),
      warmMs: WARM_MS,
      ms: this.ms,
    }));
  }

  async datagrams(): Promise<Counted> {
    const counted = this.ask(this.loads[1], () => ({ order: 'count', warmMs: WARM_MS, ms: this.ms }));
    const sent = this.ask(this.loads[0], (index) => ({
      order: 'send',
      pairs: this.addresses(0, index),
      ms: this.ms + 2 * WARM_MS,
      octets: SMALL_PACKET_OCTETS,
    }));
    const [received] = await Promise.all([counted, sent]);
    return received;
  }

  /** The load programs of one side take turns at the sessions. */
  private addresses(role: 0 | 1, load: number): { from: string; to: string }[] {
    const other = role === 0 ? 1 : 0;
    const all = Array.from({ length: this.order.sessions }, (_, session) => session);
    return all
      .filter((session) => session % this.loads[role].length === load)
      .map((session) => ({ from: innerAddress(role, session, 4), to: innerAddress(other, session, 4) }));
  }

  private async ask(loads: readonly Running[], order: (index: number) => LoadOrder): Promise<Counted> {
    const within = this.ms + START_MS;
    const answers = await Promise.all(loads.map((load, index) => load.ask<LoadAnswer>(order(index), within)));
    const failure = answers.find((answer) => answer.failure !== undefined)?.failure;
    if (failure !== undefined) throw new Error(`the load in the tunnel failed: ${failure}`);
    return answers.reduce<Counted>(
      (sum, { counted }) => ({ rate: sum.rate + counted.rate, all: sum.all + counted.all }),
      { rate: 0, all: 0 },
    );
  }
}

/** Of user and kernel, all threads (proc_pid_stat(5)). */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
