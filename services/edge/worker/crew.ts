import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { IvOptions } from '../esp/index.ts';
import type { SocketSpec } from '../machine/listeners.ts';
import { native } from '../native/index.ts';
import type { EnginePolicy, Mark } from '../pipeline/index.ts';
import type { PlaneReport } from '../service/plane.ts';
import { SHARED_BACKLOG, SHARED_STOP, sharedOctets, type WorkerCommand, type WorkerTask } from './task.ts';

/** The packet workers as the main thread sees them. */
export interface Crew {
  /** Every worker has gone through its first turn. */
  readonly ready: Promise<unknown>;
  /** Every worker has ended; rejects when one failed. */
  readonly done: Promise<unknown>;
  post(worker: number, command: WorkerCommand): void;
  /** Makes all workers end, at once and without waiting. */
  dismiss(): void;
  stop(): Promise<void>;
}

export interface CrewOptions {
  readonly ivs: IvOptions;
  readonly policy: EnginePolicy;
  readonly replayWindow: number;
  readonly past: ReadonlyMap<number, Mark>;
  /** A queue for each worker. */
  readonly tuns: readonly number[];
  readonly sockets: readonly (readonly SocketSpec[])[];
  readonly now: () => number;
  readonly report: (reports: readonly PlaneReport[]) => void;
}

export function createCrew(options: CrewOptions): Crew {
  const workers = options.tuns.length;
  const events = options.tuns.map(() => native().openEvent());
  const memory = new SharedArrayBuffer(sharedOctets(workers));
  const shared = new Int32Array(memory);
  const peers = peerPorts(workers);
  const pool = new Piscina({
    filename: new URL('./worker.ts', import.meta.url).href,
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: 1,
    atomics: 'disabled',
  });
  const ports: MessagePort[] = [];
  const first: Promise<void>[] = [];
  const tasks = options.tuns.map((tun, index) => {
    const { port1, port2 } = new MessageChannel();
    ports.push(port1);
    first.push(listen(port1, shared, options.report));
    const task: WorkerTask = {
      index,
      workers,
      tun,
      sockets: options.sockets[index] ?? [],
      events,
      main: port2,
      peers: peers[index] ?? [],
      shared: memory,
      ivs: options.ivs,
      policy: options.policy,
      replayWindow: options.replayWindow,
      past: options.past,
      epochMs: options.now() - Number(process.hrtime.bigint() / 1_000_000n),
    };
    const transferList = [port2, ...task.peers.filter((port) => port !== undefined)];
    return pool.run(task, { transferList });
  });
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
    post(worker, command) {
      const event = events[worker];
      if (event === undefined) return;
      ports[worker]?.postMessage(command);
      native().wakeEvent(event);
    },
    dismiss,
    async stop() {
      process.removeListener('exit', dismiss);
      dismiss();
      await Promise.allSettled(tasks);
      for (const port of ports) port.close();
      await pool.destroy();
      for (const event of events) native().closeDescriptor(event);
    },
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

/** `ports[a][b]` is worker a's end of the channel to worker b. */
function peerPorts(workers: number): readonly (readonly (MessagePort | undefined)[])[] {
  const ports: (MessagePort | undefined)[][] = Array.from({ length: workers }, () =>
    new Array<MessagePort | undefined>(workers).fill(undefined),
  );
  for (let a = 0; a < workers; a += 1) {
    for (let b = a + 1; b < workers; b += 1) {
      const { port1, port2 } = new MessageChannel();
      (ports[a] as (MessagePort | undefined)[])[b] = port1;
      (ports[b] as (MessagePort | undefined)[])[a] = port2;
    }
  }
  return ports;
}
