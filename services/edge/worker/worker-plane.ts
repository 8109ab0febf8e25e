import type { Config } from '@culvert/config';
import type { Runtime } from '@culvert/runtime';
import { machineDigest, takeIdentity } from '../machine/identity.ts';
import { openSockets, type Sockets } from '../machine/listeners.ts';
import { localAddresses } from '../machine/local-addresses.ts';
import { type Marks, openMarks } from '../machine/marks.ts';
import { type Routing, setUpRouting } from '../machine/routing.ts';
import { openTun, type Tun } from '../machine/tun.ts';
import type { DataPlane, PlaneReport } from '../service/plane.ts';
import { policyOf } from '../service/policy.ts';
import { type Crew, countersOf, createCrew } from './crew.ts';
import { createDispatch, type Dispatch } from './dispatch.ts';

/** Addresses of this machine may come and go: the policy follows. */
const ADDRESSES_MS = 5_000;
/** Counters and sessions are read from the workers' memory this often. */
const READ_MS = 1_000;

interface Running {
  readonly crew: Crew;
  readonly tun: Tun;
  readonly sockets: Sockets;
  readonly routing: Routing;
  readonly marks: Marks;
}

/** The real data plane: tun queues, sockets, one thread for each queue, and the kernel's routes and rules. */
export function createWorkerPlane(runtime: Runtime): DataPlane {
  let running: Running | undefined;
  let dispatch: Dispatch | undefined;
  let stopped = false;
  let cancelAddresses = () => {};
  let cancelReading = () => {};
  const followAddresses = (before: string) => {
    const addresses = localAddresses();
    const now = addresses.join();
    if (now !== before) dispatch?.dispatch({ type: 'policy', policy: policyOf(runtime.config, addresses) });
    cancelAddresses = runtime.clock.after(ADDRESSES_MS, () => followAddresses(now));
  };
  const read = (
    started: Running,
    report: (reports: readonly PlaneReport[]) => void,
    since: readonly number[],
  ) => {
    const next = started.crew.accounts.map((account) => account.counter('publications'));
    const sessions = started.crew.accounts.flatMap((account, index) => account.changed(since[index] ?? 0));
    started.marks.heard(sessions);
    report([
      { type: 'sessions', reports: sessions },
      ...started.crew.accounts.map((account, engine) => countersOf(engine, account)),
    ]);
    cancelReading = runtime.clock.after(READ_MS, () => read(started, report, next));
  };
  return {
    async start(report) {
      const started = await assemble(runtime, report, (worker) => dispatch?.repeat(worker));
      running = started;
      dispatch = createDispatch(runtime.config.edge.workers, (worker, command) =>
        started.crew.post(worker, command),
      );
      read(started, report, []);
      started.crew.done.catch((error: unknown) => {
        if (stopped) return;
        runtime.telemetry.log.error({ error: String(error) }, 'a packet worker has failed');
        started.crew.dismiss();
        // Half a data plane is worse than none: the supervisor starts a whole one.
        queueMicrotask(() => {
          throw error;
        });
      });
      followAddresses('');
    },
    post(command) {
      if (command.type === 'declare') running?.marks.declared(command.declaration);
      dispatch?.dispatch(command);
    },
    async stop() {
      if (running === undefined || stopped) return;
      stopped = true;
      cancelAddresses();
      cancelReading();
      await running.crew.stop();
      await running.marks.stop();
      await running.routing.undo();
      running.sockets.close();
      running.tun.close();
    },
  };
}

function cipherOf({ edge }: Config): string {
  return edge.cipher === 'auto' ? '' : edge.cipher;
}

/** In an order that never leaves a local port open to clients; what was done is undone when a step fails. */
async function assemble(
  runtime: Runtime,
  report: (reports: readonly PlaneReport[]) => void,
  replaced: (worker: number) => void,
): Promise<Running> {
  const { config, telemetry } = runtime;
  const { workers } = config.edge;
  const identity = await takeIdentity(config.stateDir, await machineDigest(), runtime.clock.now());
  const undo: (() => unknown)[] = [];
  try {
    const tun = openTun(config.edge.tun, workers);
    undo.push(() => tun.close());
    const routing = await setUpRouting(config, tun.name, telemetry.log);
    undo.push(() => routing.undo());
    const sockets = openSockets(config, workers, telemetry.log);
    undo.push(() => sockets.close());
    const marks = await openMarks(config.stateDir, runtime.clock, (error) =>
      telemetry.log.warn({ error: String(error) }, 'how far the SAs have come could not be written'),
    );
    undo.push(() => marks.stop());
    const crew = createCrew({
      ivs: { ...identity, cbcKey: runtime.entropy.seed() },
      policy: policyOf(config, localAddresses()),
      replayWindow: config.esp.replayWindow,
      tuns: tun.queues,
      sockets: sockets.read,
      past: marks.past,
      tuning: { backend: cipherOf(config), coalesce: true, coalesceUdp: tun.udp, segment: true },
      sessionsMax: config.edge.sessionsMax,
      now: () => runtime.clock.now(),
      report,
      replaced,
    });
    undo.push(() => crew.stop());
    await crew.ready;
    telemetry.log.info({ tun: tun.name, workers, ...identity }, 'the data plane is running');
    return { crew, tun, sockets, routing, marks };
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}
