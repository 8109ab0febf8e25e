import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { IvOptions } from '../esp/index.ts';
import type { SocketSpec } from '../machine/listeners.ts';
import { type AccountReader, accountOctets, readAccount } from '../native/engine/index.ts';
import { native } from '../native/index.ts';
import type { EnginePolicy, Mark } from '../pipeline/index.ts';
import { IO_COUNTERS, type IoCounters, type PlaneReport } from '../service/plane.ts';
import {
  SHARED_BACKLOG,
  SHARED_OCTETS,
  SHARED_STOP,
  type Tuning,
  type WorkerCommand,
  type WorkerTask,
} from './task.ts';

/** The packet workers as the main thread sees them. */
export interface Crew {
  /** Every worker has gone through its first turn. */
  readonly ready: Promise<unknown>;
  /** Every worker has ended; rejects when one cannot be kept alive. */
  readonly done: Promise<unknown>;
  readonly accounts: readonly AccountReader[];
  post(worker: number, command: WorkerCommand): void;
  /** Ends a thread as a fault would, by the number it reported at its start; another takes its place. */
  kill(thread: number): Promise<unknown>;
  /** Makes all workers end, at once and without waiting. */
  dismiss(): void;
  stop(): Promise<void>;
}

export interface CrewOptions {
  readonly ivs: IvOptions;
  readonly policy: EnginePolicy;
  readonly replayWindow: number;
  readonly past: ReadonlyMap<number, Mark>;
  readonly tuning: Tuning;
  readonly sessionsMax: number;
  /** A queue for each worker. */
  readonly tuns: readonly number[];
  readonly sockets: readonly (readonly SocketSpec[])[];
  readonly now: () => number;
  readonly report: (reports: readonly PlaneReport[]) => void;
  /** A worker has been replaced and knows nothing: everything of it is to be posted again. */
  readonly replaced: (worker: number) => void;
}

/** A session has a pair of SAs, and for a while after a rekey two. */
const SAS_PER_SESSION = 4;
const RING_OCTETS = 2 ** 20;
/** A worker that dies more often than this within the time is not worth another try. */
const LOSSES_MAX = 5;
const LOSSES_MS = 60_000;

export function createCrew(options: CrewOptions): Crew {
  const workers = options.tuns.length;
  const events = options.tuns.map(() => native().openEvent());
  const { shared, rings, accountSize, memories } = memoryFor(workers, options.sessionsMax);
  const accounts = memories.map((memory) => readAccount(memory, accountSize));
  const pool = new Piscina({
    filename: new URL('./worker.ts', import.meta.url).href,
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: 1,
    atomics: 'disabled',
  });
  const ports: (MessagePort | undefined)[] = [];
  const first: Promise<void>[] = [];
  const stopping = () => Atomics.load(shared, SHARED_STOP) !== 0;

  const begin = (index: number, past: ReadonlyMap<number, Mark>): Promise<unknown> => {
    const { port1, port2 } = new MessageChannel();
    ports[index] = port1;
    const heard = listen(port1, shared, options.report);
    first[index] ??= heard;
    const task: WorkerTask = {
      index,
      workers,
      tun: options.tuns[index] ?? -1,
      sockets: options.sockets[index] ?? [],
      events,
      main: port2,
      shared: shared.buffer as SharedArrayBuffer,
      account: memories[index] as SharedArrayBuffer,
      accountSize,
      rings,
      ringOctets: RING_OCTETS,
      ivs: options.ivs,
      policy: options.policy,
      replayWindow: options.replayWindow,
      past,
      tuning: options.tuning,
      epochMs: options.now() - Number(process.hrtime.bigint() / 1_000_000n),
    };
    return pool.run(task, { transferList: [port2] });
  };

  /** A thread that dies takes its engine with it; sockets, tun and counters are ours and stay. */
  const keptAlive = async (index: number): Promise<void> => {
    const losses: number[] = [];
    let past = options.past;
    let lost = false;
    for (;;) {
      try {
        const running = begin(index, past);
        if (lost) options.replaced(index);
        await running;
        if (stopping()) return;
        throw new Error('the packet worker has ended');
      } catch (error) {
        if (stopping()) return;
        losses.push(options.now());
        while ((losses[0] ?? 0) < options.now() - LOSSES_MS) losses.shift();
        // Before its first turn there is something that another try will meet as well.
        if (losses.length > LOSSES_MAX || accounts[index]?.counter('idleNs') === 0) throw error;
        lost = true;
        ports[index]?.close();
        past = accounts[index]?.marks() ?? past;
        options.report([{ type: 'lost', engine: index, why: String(error) }]);
      }
    }
  };

  const tasks = options.tuns.map((_, index) => keptAlive(index));
  const done = Promise.all(tasks);
  const dismiss = () => {
    Atomics.store(shared, SHARED_STOP, 1);
    for (const event of events) native().wakeEvent(event);
  };
  // A thread blocked in poll would keep the process from ending.
  process.once('exit', dismiss);
  return {
    // A worker that fails before its first turn says so here.
    ready: Promise.race([Promise.all(first), done]),
    done,
    accounts,
    post(worker, command) {
      const event = events[worker];
      if (event === undefined) return;
      ports[worker]?.postMessage(command);
      native().wakeEvent(event);
    },
    kill: async (thread) => pool.threads.find(({ threadId }) => threadId === thread)?.terminate(),
    dismiss,
    async stop() {
      process.removeListener('exit', dismiss);
      dismiss();
      await Promise.allSettled(tasks);
      for (const port of ports) port?.close();
      await pool.destroy();
      for (const event of events) native().closeDescriptor(event);
    },
  };
}

/** What the threads share with us and with each other. */
function memoryFor(workers: number, sessionsMax: number) {
  const accountSize = { sessionsMax: sessionsMax + 1, sasMax: sessionsMax * SAS_PER_SESSION + 1 };
  return {
    shared: new Int32Array(new SharedArrayBuffer(SHARED_OCTETS)),
    rings: new SharedArrayBuffer(workers > 1 ? workers * workers * RING_OCTETS : 8),
    accountSize,
    memories: Array.from({ length: workers }, () => new SharedArrayBuffer(accountOctets(accountSize))),
  };
}

/** Resolves with the first report. */
function listen(
  port: MessagePort,
  shared: Int32Array,
  report: (reports: readonly PlaneReport[]) => void,
): Promise<void> {
  return new Promise((resolve) => {
    port.on('message', (reports: readonly PlaneReport[]) => {
      Atomics.sub(shared, SHARED_BACKLOG, reports.length);
      resolve();
      report(reports);
    });
  });
}

/** An engine's totals as its memory has them now. */
export function countersOf(engine: number, account: AccountReader): PlaneReport {
  const io = Object.fromEntries(IO_COUNTERS.map((name) => [name, account.counter(name)])) as IoCounters;
  const load = {
    busyNs: account.counter('busyNs'),
    idleNs: account.counter('idleNs'),
    queueOctets: account.counter('queueOctets'),
    queueOctetsMax: account.counter('queueOctetsMax'),
    latency: account.latency(),
  };
  return { type: 'counters', engine, counters: account.counters(), io, load };
}
