import type { Runtime } from '@culvert/runtime';
import { createDirectory } from './directory.ts';
import { createEngines } from './engines.ts';
import { createGate } from './gate.ts';
import { listenToServices } from './packets-out.ts';
import type { DataPlane, PlaneCommand } from './plane.ts';
import { watchRecords } from './records.ts';
import { createReporter } from './reports.ts';
import { createReservations } from './reservations.ts';

/** The gate is looked through this often. */
const SWEEP_MS = 500;

/** Joins the bus and the data plane; knows neither sockets nor protocols. Without NATS packets flow on. */
export function createEdge(runtime: Runtime, plane: DataPlane): { start(): Promise<void> } {
  const { clock, telemetry } = runtime;
  return {
    async start() {
      const directory = createDirectory();
      const gate = createGate<PlaneCommand>((command) => plane.post(command));
      const reservations = createReservations(runtime, plane);
      const engines = createEngines(telemetry);
      const heard = createReporter(runtime, directory, reservations, engines);
      await plane.start((reports) => {
        for (const report of reports) heard(report);
      });
      const subscriptions = listenToServices(runtime, directory, (command, after) => {
        if (!gate.pass(command, after, clock.now())) telemetry.count('edge.gate', { end: 'full' });
      });
      let loaded = false;
      const watching = watchRecords({
        ...runtime,
        declared(declaration) {
          const gone = directory.declared(declaration, clock.now());
          plane.post({ type: 'declare', declaration });
          for (const sa of gone) reservations.forget(sa);
        },
        applied: (bucket, revision) => gate.applied(bucket, revision),
        caughtUp() {
          loaded = true;
          telemetry.log.info({ sessions: directory.size }, 'forwarding entries are loaded');
          reservations.sweep(() => directory.sequenceKeys());
        },
      });
      let cancelSweep = () => {};
      const sweep = () => {
        const late = gate.expire(clock.now());
        if (late > 0) telemetry.count('edge.gate', { end: 'timeout' }, late);
        cancelSweep = clock.after(SWEEP_MS, sweep);
      };
      sweep();
      telemetry.gauge('edge.sessions', () => directory.size);
      runtime.serveAdmin({
        status: () => ({
          sessions: directory.size,
          starting: !loaded,
          details: { gateWaiting: gate.waiting, ...engines.details() },
        }),
        sessions: () => directory.summaries(),
        session: (session) => directory.summary(session),
      });
      runtime.onStop(async () => {
        for (const subscription of subscriptions) subscription.close();
        watching.stop();
        reservations.stop();
        cancelSweep();
        await plane.stop();
      });
    },
  };
}
