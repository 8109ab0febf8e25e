import { type MessagePort, receiveMessageOnPort, threadId } from 'node:worker_threads';
import type { NativeSocket } from '../native/engine/index.ts';
import {
  bucketNumbers,
  createWriter,
  encodeDeclaration,
  encodePast,
  encodePolicy,
  isEvery,
  ivPrefixOf,
  type NativeEngine,
  readRecords,
  VIA,
} from '../native/engine/index.ts';
import { native } from '../native/index.ts';
import { type OuterFlow, outerFlow } from '../pipeline/index.ts';
import { reportingSink } from '../service/carry-out.ts';
import type { PlaneCommand, PlaneReport } from '../service/plane.ts';
import { datagramOf } from '../service/plane.ts';
import { createElsewhere, type Elsewhere } from './elsewhere.ts';
import { BACKLOG_MAX, SHARED_BACKLOG, SHARED_STOP, type WorkerCommand, type WorkerTask } from './task.ts';

/**
 * One long task per tun queue. Packets stay in native code, which comes back here only when a command has
 * been posted or the services are to be told something, and once in a while to see whether it shall end. The
 * thread never returns to its event loop before that, so all it hears comes by reading ports.
 */
const RUN_MS = 200;
/** Commands per turn, so that a flood of them cannot starve the sockets. */
const COMMANDS_PER_TURN = 512;

interface Turn {
  readonly task: WorkerTask;
  readonly engine: NativeEngine;
  readonly elsewhere: Elsewhere;
  readonly reports: PlaneReport[];
  readonly shared: Int32Array;
  readonly bucketNumber: (bucket: string) => number;
  readonly now: () => number;
  dropped: number;
}

export default function work(task: WorkerTask): void {
  const turn = newTurn(task);
  const { engine, reports } = turn;
  const listeners = listenersOf(task);
  const sink = {
    ...reportingSink((report) => reports.push(report)),
    // Packets never come this way: they have sockets and a tun.
    outer: () => undefined,
    inner: () => undefined,
  };
  reports.push({ type: 'started', engine: task.index, backend: engine.backend, thread: threadId });
  while (Atomics.load(turn.shared, SHARED_STOP) === 0) {
    deliver(turn, task.main);
    if (engine.run(RUN_MS)) commands(turn);
    const records = engine.takeRecords();
    if (records !== undefined) readRecords(records, sink, listeners);
  }
  deliver(turn, task.main);
  task.main.close();
}

function newTurn(task: WorkerTask): Turn {
  const event = task.events[task.index] ?? -1;
  const engine = new (native().Engine)({
    ...task.accountSize,
    ...task.tuning,
    ivPrefix: ivPrefixOf(task.ivs),
    ivKey: task.ivs.cbcKey,
    policy: encodePolicy(task.policy),
    replayWindow: task.replayWindow,
    account: new Uint8Array(task.account),
    past: encodePast(task.past),
    loop: {
      index: task.index,
      workers: task.workers,
      tun: task.tun,
      event,
      events: task.events,
      epochMs: task.epochMs,
      rings: new Uint8Array(task.rings),
      ringOctets: task.ringOctets,
      sockets: socketsOf(task),
    },
  });
  return {
    task,
    engine,
    elsewhere: createElsewhere((prefix, worker) => engine.elsewhere(prefix.address, prefix.bits, worker)),
    reports: [],
    shared: new Int32Array(task.shared),
    bucketNumber: bucketNumbers(),
    now: () => task.epochMs + Number(process.hrtime.bigint() / 1_000_000n),
    dropped: 0,
  };
}

function listenersOf(task: WorkerTask): readonly string[] {
  return [...new Set(task.sockets.map(({ listener }) => listener))];
}

function socketsOf(task: WorkerTask): readonly NativeSocket[] {
  const listeners = listenersOf(task);
  return task.sockets.map((spec) => ({
    ...spec,
    via: VIA.indexOf(spec.via),
    listener: listeners.indexOf(spec.listener),
    every: spec.via === 'esp' || isEvery(spec.local),
  }));
}

/** The event counts wake-ups, not messages: read until the port is empty, or wake ourselves again. */
function commands(turn: Turn): void {
  const { task } = turn;
  const at = turn.now();
  for (let budget = COMMANDS_PER_TURN; budget > 0; budget -= 1) {
    const received = receiveMessageOnPort(task.main);
    if (received === undefined) return;
    command(turn, received.message as WorkerCommand, at);
  }
  native().wakeEvent(task.events[task.index] ?? -1);
}

/** What came over the bus may be wrong in any way; that must not stop the packets of all other sessions. */
function command(turn: Turn, order: WorkerCommand, at: number): void {
  if (order.type === 'elsewhere') {
    turn.elsewhere.learn(order.session, order.worker, order.prefixes);
    return;
  }
  try {
    carryOut(turn, order, at);
  } catch (error) {
    turn.reports.push({ type: 'refused', command: order.type, why: String(error) });
  }
}

function carryOut({ engine, reports, bucketNumber }: Turn, order: PlaneCommand, at: number): void {
  switch (order.type) {
    case 'declare': {
      const { declaration } = order;
      const refused = (why: string) =>
        reports.push({ type: 'event', event: { type: 'entry-refused', session: declaration.session, why } });
      const octets = encodeDeclaration(declaration, bucketNumber(declaration.bucket), refused);
      const why = engine.declare(octets, at);
      if (why !== undefined) refused(why);
      break;
    }
    case 'grant':
      engine.grant(order.inboundSpi, order.first, order.end, at);
      break;
    case 'ike':
      engine.send(flowOctets(outerFlow(order.flow)), datagramOf(order));
      break;
    case 'l2tp': {
      const { session, innerPorts, octets } = order.datagram;
      engine.l2tp(session, innerPorts.local, innerPorts.remote, octets, at);
      break;
    }
    case 'ppp':
      engine.ppp(order.frame.session, order.frame.call, order.frame.octets, at);
      break;
    case 'policy':
      engine.setPolicy(encodePolicy(order.policy));
      break;
  }
}

function flowOctets(flow: OuterFlow): Uint8Array {
  const out = createWriter();
  out.flow(flow);
  return out.taken();
}

/**
 * Control packets are dropped when the main thread does not keep up, as a network would drop them; what is
 * ours (events) is never dropped.
 */
function deliver(turn: Turn, main: MessagePort): void {
  const { reports, shared } = turn;
  if (reports.length === 0) return;
  let batch: readonly PlaneReport[] = reports;
  if (Atomics.load(shared, SHARED_BACKLOG) >= BACKLOG_MAX) {
    batch = reports.filter(({ type }) => type !== 'ike' && type !== 'l2tp' && type !== 'ppp');
    turn.dropped += reports.length - batch.length;
    batch = [...batch, { type: 'backlog', dropped: turn.dropped }];
    turn.dropped = 0;
  }
  Atomics.add(shared, SHARED_BACKLOG, batch.length);
  main.postMessage(batch);
  reports.length = 0;
}
