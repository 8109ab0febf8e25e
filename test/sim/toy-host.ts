import { decode } from '@culvert/bus';
import { createHost, type Host, type SessionView } from '@culvert/host';
import type { MemoryTelemetry } from '@culvert/telemetry';
import { type SimProcess, simProcess } from './runtime.ts';
import { type ToyInput, type ToyVault, type ToyWorld, toyProtocol } from './toy-protocol.ts';
import type { World } from './world.ts';

/** The toy protocol on a host, in a process of its own, with everything it did for assertions. */
export interface Toy {
  readonly host: Host<ToyInput, ToyVault>;
  readonly process: SimProcess;
  readonly telemetry: MemoryTelemetry;
  readonly outside: { -readonly [K in keyof ToyWorld]: ToyWorld[K] };
  readonly orders: { readonly item: string; readonly id: string; readonly at: number }[];
  /** Replaces how inputs find their session. */
  protocolLocate: ((input: ToyInput) => { session: string; create: boolean }) | undefined;
  established(session: string): Promise<void>;
  /** Throws when there is no such session. */
  view(session: string): SessionView<ToyVault>;
  revision(key: string): number | undefined;
  sealedForward(key: string): Uint8Array | undefined;
  drops(): Record<string, number>;
  crash(): void;
}

export async function started(world: World, limits = { sessionsMax: 100, mailboxMax: 8 }): Promise<Toy> {
  const toy = prepared(world, limits);
  await world.promised(toy.host.start());
  return toy;
}

export function prepared(world: World, limits = { sessionsMax: 100, mailboxMax: 8 }): Toy {
  const process = simProcess('toy', world);
  const orders: Toy['orders'] = [];
  const outside: Toy['outside'] = {
    replies: [],
    order(item, id) {
      orders.push({ item, id, at: world.clock.now() });
      return Promise.resolve(false);
    },
    compute: (n) => Promise.resolve(n * 2),
    closed: [],
    restored: [],
  };
  const protocol = toyProtocol(outside, limits);
  const host = createHost(
    { ...protocol, locate: (input) => toy.protocolLocate?.(input) ?? protocol.locate(input) },
    process,
  );
  const entryOf = (key: string) => world.broker.store('culvert_toy').entries.get(key);
  const toy: Toy = {
    host,
    process,
    telemetry: process.telemetry,
    outside,
    orders,
    protocolLocate: undefined,
    async established(session) {
      host.input({ do: 'found', session });
      host.input({ do: 'establish', session });
      await world.run(50);
    },
    view(session) {
      const view = host.view(session);
      if (view === undefined) throw new Error(`no session ${session}`);
      return view;
    },
    revision: (key) => entryOf(key)?.revision,
    sealedForward(key) {
      const { value } = entryOf(key) ?? {};
      return value === undefined ? undefined : (decode(value) as { forward: Uint8Array }).forward;
    },
    drops() {
      const found: Record<string, number> = {};
      for (const [name, value] of Object.entries(process.telemetry.counters())) {
        const reason = /^culvert\.host\.drops\{.*reason=([^,}]+)/.exec(name)?.[1];
        if (reason !== undefined) found[reason] = value;
      }
      return found;
    },
    crash: process.crash,
  };
  return toy;
}
