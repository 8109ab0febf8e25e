import type { Config } from '@culvert/config';
import type { ServiceName } from '@culvert/contracts';
import { createSealer, Secret, shardKeyOf } from '@culvert/crypto';
import type { Clock, EntropySource, Sealer } from '@culvert/host';
import { answerAdmin, type Runtime } from '@culvert/runtime';
import { type MemoryTelemetry, memoryTelemetry } from '@culvert/telemetry';
import type { SimBus } from './broker.ts';
import type { World } from './world.ts';

/** A Runtime on simulated ports, and a process's two ways to end. */
export interface SimRuntime extends Runtime {
  readonly bus: SimBus;
  readonly telemetry: MemoryTelemetry;
  /** As after SIGTERM: the stop hooks run, then the process is gone. Needs virtual time to pass. */
  stop(): Promise<void>;
  /** As after SIGKILL: no timer of this process fires any more, nothing it does reaches anybody. */
  crash(): void;
}

export interface SimProcess {
  readonly bus: SimBus;
  readonly clock: Clock;
  readonly entropy: EntropySource;
  readonly sealer: Sealer;
  readonly telemetry: MemoryTelemetry;
  crash(): void;
}

/** The ports of one simulated process, for tests below the level of a service. */
export function simProcess(name: string, world: World): SimProcess {
  let alive = true;
  const bus = world.broker.connect(name);
  // A restarted process must not draw what its predecessor drew.
  const chance = world.chance.fork(`entropy of ${name}, start ${world.nextStart()}`);
  return {
    bus,
    clock: {
      now: () => world.clock.now(),
      elapsed: () => world.clock.elapsed(),
      after: (afterMs, callback) => world.clock.after(afterMs, () => (alive ? callback() : undefined)),
    },
    entropy: { seed: () => chance.octets(32) },
    sealer: createSealer({ current: new Secret(world.clusterKey), earlier: [] }),
    telemetry: memoryTelemetry(name),
    crash() {
      alive = false;
      void bus.close();
    },
  };
}

export function simRuntime(
  service: ServiceName,
  world: World,
  config: Config,
  node = config.node,
): SimRuntime {
  const { bus, clock, entropy, sealer, telemetry, crash } = simProcess(service, world);
  const hooks: (() => Promise<void> | void)[] = [];
  const startedAt = clock.now();
  return {
    service,
    node,
    config,
    bus,
    clock,
    entropy,
    sealer,
    shardKey: shardKeyOf({ current: new Secret(world.clusterKey), earlier: [] }),
    telemetry,
    serveAdmin: (source) =>
      answerAdmin(source, {
        service,
        node,
        version: 'simulated',
        startedAt,
        bus,
        telemetry,
        process: { pid: 1, memory: () => ({ memoryBytes: 0, inUseBytes: 0 }) },
        state: () => 'serving',
      }),
    onStop: (hook) => void hooks.push(hook),
    async stop() {
      for (const hook of hooks.reverse()) await hook();
      crash();
    },
    crash,
  };
}
