import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { attempt, command } from '../../interop/lab/command.ts';
import { type Direction, transfer } from '../../interop/lab/traffic.ts';
import { cpuSecondsOf } from '../processes.ts';
import { type Spent, startMeter, sum } from './meter.ts';
import { type Path, type Room, type Running, start, type Tunnel } from './tunnel.ts';

/** What is sent through a tunnel, in the order in which it is measured. */
export const LOADS = [
  'memory',
  'tcp1',
  'tcp1r',
  'tcp4x2',
  'small',
  'spread',
  'steady',
  'latency',
  'dialled-up',
  'dialled-down',
] as const;
export type LoadName = (typeof LOADS)[number];

/** Figures of one test by name. */
export type Figures = Readonly<Record<string, number>>;

export interface Observation {
  readonly figures: Figures;
  readonly foreignCores: number;
}

export interface Test {
  readonly room: Room;
  readonly tunnel: Tunnel;
  readonly seconds: number;
  /** Addresses over which `spread` goes. */
  readonly addresses: number;
  /** What one flow reached: loads that everybody is to keep up with are parts of it. */
  readonly capacityGbps: number;
}

const FLOWS_PER_CLIENT = 4;
const LOAD_PORT = 7_000;
const IPERF_PORT = 5_201;
const SMALL_OCTETS = 64;
const LARGE_OCTETS = 1_200;
/** A super-packet of what a client may well send at once, and few enough that many clients get their turn. */
const BURST = 16;
const LATENCY_LOAD = 0.1;
/** Far enough below the capacity that both ends keep up whatever else happens. */
const STEADY_LOAD = 0.25;
const SLACK_SECONDS = 15;
const MEMORY = resolve(import.meta.dirname, 'memory.ts');

export const measureLoad: Readonly<Record<LoadName, (test: Test) => Promise<Observation>>> = {
  memory: async () => ({
    figures: parsed<{ octets: number }>(await command(process.execPath, MEMORY)),
    foreignCores: 0,
  }),
  tcp1: (test) => tcp(test, test.tunnel.paths.slice(0, 1), ['-P', '1']),
  tcp1r: (test) => tcp(test, test.tunnel.paths.slice(0, 1), ['-P', '1', '-R']),
  tcp4x2: (test) => tcp(test, test.tunnel.paths, ['-P', String(FLOWS_PER_CLIENT)]),
  small,
  spread: (test) => spread(test, 0),
  steady: (test) => spread(test, (needed(test) * STEADY_LOAD * 1e9) / (BURST * LARGE_OCTETS * 8)),
  latency,
  'dialled-up': (test) => dialled(test, 'up'),
  'dialled-down': (test) => dialled(test, 'down'),
};

/** What is read of the report of iperf3. */
interface Iperf {
  readonly error?: string;
  readonly end: {
    readonly sum_received: { readonly bits_per_second: number; readonly bytes: number };
    readonly sum_sent: { readonly seconds: number };
    readonly cpu_utilization_percent: { readonly host_total: number; readonly remote_total: number };
  };
}

/** iperf3 between the ends of each path, all at once. */
async function tcp(test: Test, paths: readonly Path[], words: readonly string[]): Promise<Observation> {
  const { room, tunnel, seconds } = test;
  const servers = paths.map(({ to }) =>
    start(room, 1, ['iperf3', '-s', '-1', '--forceflush', '-B', to, '-p', String(IPERF_PORT)]),
  );
  try {
    await Promise.all(servers.map((server) => server.says(/Server listening/)));
    const finish = startMeter(tunnel.pids);
    const reports = await Promise.all(paths.map((path) => iperf(room, path, seconds, words)));
    const spent = finish(() => sum(reports.map(loadCpu)));
    const octets = sum(reports.map(({ end }) => end.sum_received.bytes));
    const gbps = sum(reports.map(({ end }) => end.sum_received.bits_per_second)) / 1e9;
    return { figures: { gbps, ...perCore(spent, octets) }, foreignCores: spent.foreignCores };
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

async function iperf(
  room: Room,
  { from, to }: Path,
  seconds: number,
  words: readonly string[],
): Promise<Iperf> {
  const [program, args] = room.bed.within(
    0,
    ...['iperf3', '-c', to, '-B', from, '-p', String(IPERF_PORT), '-t', String(seconds), '-J'],
    ...words,
  );
  const { output } = await attempt(program, args, (seconds + SLACK_SECONDS) * 1000);
  const report = parsed<Iperf>(output);
  if (report.error !== undefined) throw new Error(`iperf3: ${report.error}`);
  return report;
}

function loadCpu({ end }: Iperf): number {
  const { host_total, remote_total } = end.cpu_utilization_percent;
  return ((host_total + remote_total) / 100) * end.sum_sent.seconds;
}

/** Gbit for each second of an end's processor time. */
function perCore({ ends }: Spent, octets: number): Figures {
  const gbits = (octets * 8) / 1e9;
  const [a = 0, b = 0] = ends;
  if (a === 0 || b === 0) return {};
  return { gbpsPerCoreA: gbits / a, gbpsPerCoreB: gbits / b, gbpsPerCore: gbits / (a + b) };
}

/** What the load's own program says at its end. */
interface LoadReport {
  readonly packets: number;
  readonly octets: number;
  readonly cpuSeconds: number;
}

interface Received extends LoadReport {
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
}

/** As many packets of 64 octets as go through, and what each costs the end that seals and the one that opens. */
async function small(test: Test): Promise<Observation> {
  const { tunnel, seconds, room } = test;
  const before = await taken(test);
  const port = String(LOAD_PORT);
  const send = ['flood', first(tunnel).to, port, String(SMALL_OCTETS), String(seconds)];
  const { received, spent } = await apart(test, send, ['count', '4', port, patience(test), '0']);
  const sealed = (await taken({ tunnel, room })) - before;
  const [a = 0, b = 0] = spent.ends;
  const figures = {
    kpps: received.packets / received.seconds / 1e3,
    nsA: (a * 1e9) / Math.max(1, sealed),
    nsB: (b * 1e9) / Math.max(1, received.packets),
  };
  return { figures, foreignCores: spent.foreignCores };
}

/** Packets the kernel has handed to the tunnel; what its queue had to drop does not count. */
async function taken({ tunnel, room }: Pick<Test, 'tunnel' | 'room'>): Promise<number> {
  const shown = await room.bed.ip(0, `-s -j link show dev ${tunnel.device}`);
  const [link] = parsed<{ stats64: { tx: { packets: number } } }[]>(shown);
  return link?.stats64.tx.packets ?? 0;
}

/**
 * Bursts of 16 datagrams of 1,200 octets, in turn to every session. A burst is one super-packet and cannot
 * merge with the next, so that the engine sees the same work whether the bursts are of one session or of many:
 * what differs is which keys, counters and table rows it has to look at.
 */
async function spread(test: Test, burstsPerSecond: number): Promise<Observation> {
  const { tunnel, seconds, addresses } = test;
  const { from, to } = first(tunnel);
  const port = String(LOAD_PORT);
  const send = ['spread', to, port, String(LARGE_OCTETS), String(seconds)];
  send.push(from, String(addresses), String(BURST), String(burstsPerSecond));
  const { sent, received, spent } = await load(test, send, ['count', '4', port, patience(test), '1']);
  const gbps = (received.octets * 8) / 1e9 / received.seconds;
  const lost = 1 - received.octets / sent.octets;
  return { figures: { gbps, lost, ...perCore(spent, received.octets) }, foreignCores: spent.foreignCores };
}

/** Datagrams at even distances, each with its time of sending: both ends have the same clock. */
async function latency(test: Test): Promise<Observation> {
  const { tunnel, seconds, capacityGbps } = test;
  const perSecond = Math.round((capacityGbps * LATENCY_LOAD * 1e9) / (LARGE_OCTETS * 8));
  if (perSecond === 0)
    throw new Error('nothing is known of the capacity, of which a tenth would be the load');
  const port = String(LOAD_PORT);
  const send = ['paced', first(tunnel).to, port, String(LARGE_OCTETS), String(seconds), String(perSecond)];
  const { sent, received, spent } = await apart(test, send, ['delays', '4', port, patience(test)]);
  const lost = 1 - received.packets / sent.packets;
  const figures = { p50: received.p50, p99: received.p99, kpps: perSecond / 1e3, lost };
  return { figures, foreignCores: spent.foreignCores };
}

/** One flow of a client in a machine of its own, which limits the rate: what counts is the server's cost. */
async function dialled({ tunnel, seconds }: Test, direction: Direction): Promise<Observation> {
  const { guest, loadPids } = tunnel;
  if (guest === undefined || loadPids === undefined) throw new Error('nobody dialled in');
  const before = cpuOf(await loadPids());
  const finish = startMeter(tunnel.pids);
  const moved = await transfer(guest, direction, seconds);
  const after = cpuOf(await loadPids());
  const loadSeconds = sum([...after].map(([pid, used]) => used - (before.get(pid) ?? 0)));
  const spent = finish(() => loadSeconds);
  const gbits = (moved.bytes * 8) / 1e9;
  const figures = { mbps: moved.megabitsPerSecond, cpuSecondsPerGbit: sum(spent.ends) / gbits };
  return { figures, foreignCores: spent.foreignCores };
}

function cpuOf(pids: readonly number[]): Map<number, number> {
  return new Map(
    pids.flatMap((pid): [number, number][] => {
      try {
        return [[pid, cpuSecondsOf(pid)]];
      } catch {
        // A process that ended while we looked.
        return [];
      }
    }),
  );
}

function needed({ capacityGbps }: Test): number {
  if (capacityGbps === 0)
    throw new Error('nothing is known of the capacity, of which a part would be the load');
  return capacityGbps;
}

/**
 * The load with the sender on a processor to itself, if there are two. Else what is measured is whom the scheduler
 * puts beside a program that never rests: a packet then costs half as much again, and one in a hundred waits for
 * the sender's whole slice.
 */
async function apart(test: Test, send: readonly string[], receive: readonly string[]) {
  const last = availableParallelism() - 1;
  if (last === 0) return load(test, send, receive);
  const run = async (cores: string): Promise<void> => {
    for (const pid of test.tunnel.pids) await command('taskset', '-apc', cores, String(pid));
  };
  const others = `1-${last}`;
  await run(others);
  try {
    return await load(test, send, receive, { sender: '0', receiver: others });
  } finally {
    await run(`0-${last}`);
  }
}

/** Sender at the clients' end, receiver at the gateway's; `cores`: the processors of each, else all. */
async function load(
  test: Test,
  send: readonly string[],
  receive: readonly string[],
  cores?: { readonly sender: string; readonly receiver: string },
) {
  const { room, tunnel, seconds } = test;
  const on = (list: string | undefined) => (list === undefined ? [] : ['taskset', '-c', list]);
  const receiver = start(room, 1, [...on(cores?.receiver), room.programs.load, ...receive]);
  try {
    await receiver.says(/"ready"/);
    const finish = startMeter(tunnel.pids);
    const [program, args] = room.bed.within(0, ...on(cores?.sender), room.programs.load, ...send);
    const { status, output } = await attempt(program, args, (seconds + SLACK_SECONDS) * 1000);
    if (status !== 0) throw new Error(`load ${send.join(' ')}: status ${status}\n${output}`);
    const sent = parsed<LoadReport>(output);
    let received: Received | undefined;
    await receiver.ended();
    const spent = finish(() => {
      received = lastLine(receiver);
      return sent.cpuSeconds + received.cpuSeconds;
    });
    if (received === undefined || received.packets === 0) throw new Error('nothing arrived');
    return { sent, received, spent };
  } finally {
    await receiver.stop();
  }
}

function lastLine(receiver: Running): Received {
  return parsed<Received>(receiver.printed().trim().split('\n').at(-1) ?? '');
}

function patience({ seconds }: Test): string {
  return String(seconds + 1);
}

function first({ paths }: Tunnel): Path {
  const [path] = paths;
  if (path === undefined) throw new Error('a tunnel without a path');
  return path;
}

/** A program that fails prints a text where JSON was to be. */
function parsed<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new Error(`not JSON: ${text.slice(0, 500)}`);
  }
}
