import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Runtime } from '@culvert/runtime';
import { Piscina } from 'piscina';
import { createIvSource, type IvOptions } from '../esp/index.ts';
import { machineDigest, takeIdentity } from '../machine/identity.ts';
import { openSockets, type Sockets } from '../machine/listeners.ts';
import { localAddresses } from '../machine/local-addresses.ts';
import { type Routing, setUpRouting } from '../machine/routing.ts';
import { native } from '../native/index.ts';
import type { DataPlane, PlaneReport } from '../service/plane.ts';
import { policyOf } from '../service/policy.ts';
import { createDispatch, type Dispatch } from './dispatch.ts';
import { SHARED_BACKLOG, SHARED_STOP, sharedOctets, type WorkerCommand, type WorkerTask } from './task.ts';

/** Addresses of this machine may come and go: the policy follows. */
const ADDRESSES_MS = 5_000;

interface Running {
  readonly pool: Piscina;
  readonly done: Promise<unknown>;
  readonly shared: Int32Array;
  readonly events: readonly number[];
  readonly ports: readonly MessagePort[];
  readonly tuns: readonly number[];
  readonly sockets: Sockets;
  readonly routing: Routing;
}

/** The real data plane: tun queues, sockets, one thread for each queue, and the kernel's routes and rules. */
export function createWorkerPlane(runtime: Runtime): DataPlane {
  let running: Running | undefined;
  let dispatch: Dispatch | undefined;
  let stopped = false;
  let cancelAddresses = () => {};
  // A thread blocked in poll would keep the process from ending.
  const wakeAll = () => {
    if (running === undefined) return;
    Atomics.store(running.shared, SHARED_STOP, 1);
    for (const event of running.events) native().wakeEvent(event);
  };
  const followAddresses = (before: string) => {
    if (stopped) return;
    const addresses = localAddresses();
    const now = addresses.join();
    if (now !== before) dispatch?.dispatch({ type: 'policy', policy: policyOf(runtime.config, addresses) });
    cancelAddresses = runtime.clock.after(ADDRESSES_MS, () => followAddresses(now));
  };
  return {
    async start(report) {
      const started = await startWorkers(runtime, report);
      running = started;
      process.once('exit', wakeAll);
      dispatch = createDispatch(started.ports.length, (worker, command) => postTo(started, worker, command));
      started.done.catch((error: unknown) => {
        if (stopped) return;
        runtime.telemetry.log.error({ error: String(error) }, 'a packet worker has failed');
        wakeAll();
        // Half a data plane is worse than none: the supervisor starts a whole one.
        queueMicrotask(() => {
          throw error;
        });
      });
      followAddresses('');
    },
    post: (command) => dispatch?.dispatch(command),
    async stop() {
      if (running === undefined || stopped) return;
      stopped = true;
      cancelAddresses();
      wakeAll();
      process.removeListener('exit', wakeAll);
      await running.done.catch(() => undefined);
      await release(running);
    },
  };
}

function postTo(running: Running, worker: number, command: WorkerCommand): void {
  running.ports[worker]?.postMessage(command);
  const event = running.events[worker];
  if (event !== undefined) native().wakeEvent(event);
}

async function release(running: Running): Promise<void> {
  await running.routing.undo();
  for (const port of running.ports) port.close();
  await running.pool.destroy();
  running.sockets.close();
  for (const fd of [...running.tuns, ...running.events]) native().closeDescriptor(fd);
}

async function startWorkers(
  runtime: Runtime,
  report: (reports: readonly PlaneReport[]) => void,
): Promise<Running> {
  const { config, telemetry } = runtime;
  const workers = config.edge.workers;
  const identity = await takeIdentity(config.stateDir, await machineDigest());
  const ivs: IvOptions = { ...identity, cbcKey: runtime.entropy.seed() };
  createIvSource(ivs);
  const first = native().openTun(config.edge.tun, workers > 1);
  const tuns = [first.fd];
  while (tuns.length < workers) tuns.push(native().openTun(first.name, true).fd);
  const routing = await setUpRouting(config, first.name, telemetry.log);
  const sockets = openSockets(config, workers, telemetry.log);
  const events = tuns.map(() => native().openEvent());
  const memory = new SharedArrayBuffer(sharedOctets(workers));
  const shared = new Int32Array(memory);
  const pool = new Piscina({
    filename: new URL('./worker.ts', import.meta.url).href,
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: 1,
    atomics: 'disabled',
  });
  const peers = peerPorts(workers);
  const ports: MessagePort[] = [];
  const tasks = tuns.map((tun, index) => {
    const { port1, port2 } = new MessageChannel();
    ports.push(port1);
    port1.on('message', (reports: readonly PlaneReport[]) => {
      Atomics.sub(shared, SHARED_BACKLOG, reports.length);
      report(reports);
    });
    const task: WorkerTask = {
      index,
      workers,
      tun,
      sockets: sockets.read[index] ?? [],
      events,
      main: port2,
      peers: peers[index] ?? [],
      shared: memory,
      ivs,
      policy: policyOf(config, localAddresses()),
      replayWindow: config.esp.replayWindow,
      epochMs: runtime.clock.now() - Number(process.hrtime.bigint() / 1_000_000n),
    };
    const transferList = [port2, ...task.peers.filter((port) => port !== undefined)];
    return pool.run(task, { transferList });
  });
  telemetry.log.info({ tun: first.name, workers, ...identity }, 'the data plane is running');
  return { pool, done: Promise.all(tasks), shared, events, ports, tuns, sockets, routing };
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
