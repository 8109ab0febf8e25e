/**
 * A simulated world: virtual time, seeded chance, a bus with storage, and a network, all in one process.
 * The services in it are the real ones on simulated ports. The same seed gives the same run, except that
 * keys come from the system's generator: lengths and order are the same, key octets are not.
 *
 *     await inWorld({ seed: 7 }, async (world) => {
 *       const ike = simRuntime('ike', world, config);              // a Runtime for createIkeService
 *       await createIkeService(ike).start();                       // as in main.ts
 *       const socket = world.network.bind({ address: '192.0.2.9', port: 500 }, onDatagram);
 *       world.network.faults.loss = 0.02;                          // { loss, duplicate, reorder, delayMs, natRebindEveryMs }
 *       world.broker.storage.unheardWrite = 0.05;                  // storage that lies: see StoreFaults
 *       world.broker.messages.loss = 0.01;                         // core NATS loses messages
 *       await world.run(5_000);                                    // 5 s of virtual time
 *       ike.crash();                                               // the process is gone, its record stays
 *       await world.until(() => done, 60_000);                     // throws if not so within a minute
 *     });
 *
 * - Await only `world.run`, `world.until` and `world.settle`: everything else needs virtual time to pass,
 *   and it passes nowhere else. `world.promised(work, limitMs)` awaits a promise that way.
 * - Slow crypto in Node's thread pool stops virtual time until it is done; hand other real work to
 *   `world.clock.hold(promise)`.
 * - `ike.bus.cut()` and `heal()` take one process's connection away; `broker.storage.away` all storage.
 * - Telemetry is remembered: `ike.telemetry.spans`, `.lines`, `.counters()`.
 * - A failing run names its seed; CULVERT_SEED=<seed> runs everything with it.
 */
import { type Broker, memoryBroker } from './broker.ts';
import { type Chance, seededChance } from './chance.ts';
import { type VirtualClock, virtualClock } from './clock.ts';
import { type LinkFaults, type Network, simNetwork } from './network.ts';

export interface World {
  readonly seed: number;
  readonly clock: VirtualClock;
  readonly chance: Chance;
  readonly broker: Broker;
  readonly network: Network;
  /** The cluster's key: every simulated process has it. */
  readonly clusterKey: Uint8Array;
  /** Counts the processes started in this world. */
  nextStart(): number;
  run(ms: number): Promise<void>;
  until(done: () => boolean, limitMs: number): Promise<void>;
  settle(): Promise<void>;
  /** Lets time pass until the promise settles. */
  promised<T>(work: Promise<T>, limitMs?: number): Promise<T>;
}

export interface WorldOptions {
  readonly seed?: number;
  readonly faults?: Partial<LinkFaults>;
}

const PROMISED_MS = 60_000;

export function createWorld(options: WorldOptions = {}): World {
  const seed = seedOf(options.seed);
  const chance = seededChance(seed);
  const clock = virtualClock();
  let starts = 0;
  const world: World = {
    seed,
    nextStart() {
      starts += 1;
      return starts;
    },
    clock,
    chance,
    broker: memoryBroker(clock, chance.fork('broker')),
    network: simNetwork(clock, chance.fork('network'), options.faults),
    clusterKey: chance.fork('cluster key').octets(32),
    run: (ms) => clock.run(ms),
    until: (done, limitMs) => clock.until(done, limitMs),
    settle: () => clock.settle(),
    async promised(work, limitMs = PROMISED_MS) {
      let settled = false;
      const settle = () => {
        settled = true;
      };
      work.then(settle, settle);
      await clock.until(() => settled, limitMs);
      return await work;
    },
  };
  return world;
}

/** Runs `body` in a new world; a failure says with which seed. */
export async function inWorld(options: WorldOptions, body: (world: World) => Promise<void>): Promise<void> {
  const world = createWorld(options);
  try {
    await body(world);
  } catch (error) {
    console.error(`simulation failed with seed ${world.seed}; repeat with CULVERT_SEED=${world.seed}`);
    throw error;
  }
}

function seedOf(given: number | undefined): number {
  const fixed = process.env.CULVERT_SEED;
  if (fixed !== undefined) return Number.parseInt(fixed, 10) >>> 0;
  return (given ?? Math.floor(Math.random() * 2 ** 32)) >>> 0;
}
