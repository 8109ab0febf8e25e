import { isIpv4 } from '@culvert/wire/ip';
import type {
  Declaration,
  Engine,
  EngineOptions,
  EnginePolicy,
  Mark,
  OuterPacket,
} from '../../pipeline/index.ts';
import { native } from '../index.ts';
import { type AccountReader, accountOctets, readAccount } from './account.ts';
import { encodeDeclaration, encodePolicy } from './entries.ts';
import { readRecords } from './records.ts';
import { createWriter } from './writer.ts';

export {
  type AccountReader,
  type AccountSize,
  accountOctets,
  type CounterName,
  LATENCY_BUCKETS,
  readAccount,
} from './account.ts';
export { encodeDeclaration, encodePolicy } from './entries.ts';
export type {
  NativeEngine,
  NativeEngineOptions,
  NativeLoopOptions,
  NativeSocket,
} from './native-engine.ts';
export { readRecords } from './records.ts';
export { createWriter } from './writer.ts';

/** In the order of `Via` in engine.h. */
export const VIA: readonly OuterPacket['via'][] = ['ike', 'nat-traversal', 'esp'];

const REPLAY_WINDOW = 1_024;

/** Marks in rows of 24 octets: SPIs, then the two numbers in 64 bits. */
export function encodePast(past: ReadonlyMap<number, Mark> = new Map()): Uint8Array {
  const out = createWriter();
  for (const [inboundSpi, { outboundSpi, top, next }] of past) {
    out.u32(inboundSpi);
    out.u32(outboundSpi);
    for (const number of [top, next]) {
      out.u32(Math.floor(number / 2 ** 32));
      out.u32(number % 2 ** 32);
    }
  }
  return out.taken();
}

/** Numbers for the buckets' names, in the order in which they come up. */
export function bucketNumbers(): (bucket: string) => number {
  const numbers = new Map<string, number>();
  return (bucket) => {
    const known = numbers.get(bucket) ?? numbers.size;
    numbers.set(bucket, known);
    return known;
  };
}

export interface Identity {
  readonly nodeId: number;
  readonly generation: number;
  readonly cbcKey: Uint8Array;
}

export function ivPrefixOf({ nodeId, generation }: Pick<Identity, 'nodeId' | 'generation'>): number {
  return nodeId * 0x100_0000 + generation;
}

/**
 * The native engine behind the reference's interface, without sockets: for tests and for whoever wants one
 * packet at a time. Packets of a batch are opened together, as a worker opens them.
 */
export interface DirectEngine extends Engine {
  outerBatch(packets: readonly OuterPacket[], at: number): void;
  readonly account: AccountReader;
  readonly backend: string;
}

export type DirectOptions = Omit<EngineOptions, 'ivs'> & {
  readonly identity: Identity;
  readonly backend?: string;
};

const SIZE = { sessionsMax: 4_096, sasMax: 16_384 };

export function createNativeEngine(options: DirectOptions): DirectEngine {
  const { sink, identity, backend = '' } = options;
  const memory = new ArrayBuffer(accountOctets(SIZE));
  const account = readAccount(memory, SIZE);
  const engine = new (native().Engine)({
    ...SIZE,
    backend,
    ivPrefix: ivPrefixOf(identity),
    ivKey: identity.cbcKey,
    policy: encodePolicy(options.policy),
    replayWindow: options.replayWindow ?? REPLAY_WINDOW,
    account: new Uint8Array(memory),
    past: encodePast(options.past),
    coalesce: false,
    coalesceUdp: false,
    segment: false,
  });
  const numberOf = bucketNumbers();
  const listeners: string[] = [];
  const listenerOf = (name: string) => {
    if (!listeners.includes(name)) listeners.push(name);
    return listeners.indexOf(name);
  };
  const told = () => {
    const records = engine.takeRecords();
    if (records !== undefined) readRecords(records, sink, listeners);
  };
  let reported = 0;
  const outerBatch = (packets: readonly OuterPacket[], at: number) => {
    const out = createWriter();
    for (const { via, listener, tos = 0, flow, octets } of packets) {
      out.u8(VIA.indexOf(via));
      out.u8(listenerOf(listener));
      out.u8(tos);
      out.flow(flow);
      out.u32(octets.length);
      out.octets(octets);
    }
    engine.outer(out.taken(), at);
    told();
  };
  return {
    account,
    backend: engine.backend,
    declare(declaration: Declaration, at) {
      const { session } = declaration;
      const refused = (why: string) => sink.event({ type: 'entry-refused', session, why });
      const octets = encodeDeclaration(declaration, numberOf(declaration.bucket), refused);
      const why = engine.declare(octets, at);
      if (why !== undefined) refused(why);
      told();
    },
    grant({ inboundSpi, first, end }, at) {
      engine.grant(inboundSpi, first, end, at);
      told();
    },
    outer: (packet, at) => outerBatch([packet], at),
    outerBatch,
    inner(packet, at) {
      const route = engine.inner(packet, at);
      told();
      return route === -1;
    },
    l2tp({ session, innerPorts, octets }, at) {
      engine.l2tp(session, innerPorts.local, innerPorts.remote, octets, at);
      told();
    },
    ppp({ session, call, octets }, at) {
      engine.ppp(session, call, octets, at);
      told();
    },
    setPolicy: (policy: EnginePolicy) => void engine.setPolicy(encodePolicy(policy)),
    tick(at) {
      engine.tick(at);
      told();
    },
    takeReports(at) {
      engine.publish(at);
      const since = reported;
      reported = account.counter('publications');
      return account.changed(since);
    },
    report(session, at) {
      engine.publish(at);
      return account.session(session);
    },
    counters: () => account.counters(),
    unrouted: () => engine.unrouted(),
  };
}

/** Whether a socket bound to this address hears every address. */
export function isEvery(address: Uint8Array): boolean {
  return (isIpv4(address) ? address.subarray(12) : address).every((octet) => octet === 0);
}
