import { receiveMessageOnPort } from 'node:worker_threads';
import { parseEspHeader } from '@culvert/wire/esp';
import { createIvSource } from '../esp/index.ts';
import type { SocketSpec } from '../machine/listeners.ts';
import { BATCH_MAX, native, Row } from '../native/index.ts';
import { createEngine, type Engine, type OuterPacket } from '../pipeline/index.ts';
import { carryOut, reportingSink } from '../service/carry-out.ts';
import { noIo, type PlaneReport } from '../service/plane.ts';
import { newBatch, SLOT_OCTETS, tunOutbox } from './batch.ts';
import { createElsewhere, destinationKey, type Elsewhere, spiKey } from './elsewhere.ts';
import { createSenders } from './senders.ts';
import {
  BACKLOG_MAX,
  HANDED_OVER_MAX,
  type HandedOver,
  SHARED_BACKLOG,
  SHARED_PEERS,
  SHARED_STOP,
  type WorkerCommand,
  type WorkerTask,
} from './task.ts';

/**
 * One long task per tun queue: 1 wait for packets or a wake-up, 2 commands, 3 packets of neighbours,
 * 4 packets from outside, 5 packets from the tun, 6 send what they became, 7 report. The thread never
 * returns to its event loop before it is stopped, so all it hears comes by poll and by reading ports.
 */
const POLL_MS = 250;
const TICK_MS = 250;
const REPORT_MS = 1_000;
/** Commands and neighbours' packets per turn, so that a flood of one cannot starve the sockets. */
const MESSAGES_PER_TURN = 512;

interface Loop {
  readonly task: WorkerTask;
  readonly engine: Engine;
  readonly shared: Int32Array;
  readonly io: ReturnType<typeof noIo>;
  readonly reports: PlaneReport[];
  readonly elsewhere: Elsewhere;
  readonly inbox: ReturnType<typeof newBatch>;
  readonly senders: ReturnType<typeof createSenders>;
  readonly tun: ReturnType<typeof tunOutbox>;
  readonly now: () => number;
  tickedAt: number;
  reportedAt: number;
}

export default function work(task: WorkerTask): void {
  const loop = newLoop(task);
  const event = task.events[task.index] ?? -1;
  const fds = Int32Array.of(event, task.tun, ...task.sockets.map((spec) => spec.fd));
  const ready = new Int32Array(fds.length);
  while (Atomics.load(loop.shared, SHARED_STOP) === 0) {
    const pending = native().pollReady(fds, ready, POLL_MS) > 0;
    const at = loop.now();
    if (ready[0] !== 0) woken(loop, event, at);
    for (const [index, spec] of task.sockets.entries()) {
      if (pending && ready[index + 2] !== 0) fromOutside(loop, spec, at);
    }
    if (pending && ready[1] !== 0) fromTun(loop, at);
    periodically(loop, at);
    loop.senders.flush();
    loop.tun.flush();
    deliver(loop);
  }
  task.main.close();
  for (const peer of task.peers) peer?.close();
}

function newLoop(task: WorkerTask): Loop {
  const io = noIo();
  const reports: PlaneReport[] = [];
  const senders = createSenders(native(), task.sockets, (sent, failed) => {
    io.sent += sent;
    io.sendFailed += failed;
  });
  const tun = tunOutbox(native(), task.tun, (sent, failed) => {
    io.tunWritten += sent;
    io.tunFailed += failed;
  });
  const shared = new Int32Array(task.shared);
  const engine = createEngine({
    ivs: createIvSource(task.ivs),
    policy: task.policy,
    replayWindow: task.replayWindow,
    past: task.past,
    sink: {
      ...reportingSink((report) => reports.push(report)),
      outer(flow, encapsulation, octets) {
        const found = encapsulation === 'udp' ? senders.datagram(flow, octets) : senders.esp(flow, octets);
        if (!found) io.sendFailed += 1;
      },
      inner: (packet) => tun.add(packet),
    },
  });
  const now = () => task.epochMs + Number(process.hrtime.bigint() / 1_000_000n);
  return {
    task,
    engine,
    shared,
    io,
    reports,
    elsewhere: createElsewhere(),
    inbox: newBatch(),
    senders,
    tun,
    now,
    tickedAt: 0,
    reportedAt: 0,
  };
}

/** The eventfd counts wake-ups, not messages: read until the ports are empty, or wake ourselves again. */
function woken(loop: Loop, event: number, at: number): void {
  native().drainEvent(event);
  let budget = MESSAGES_PER_TURN;
  for (const port of [loop.task.main, ...loop.task.peers]) {
    while (port !== undefined && budget > 0) {
      const received = receiveMessageOnPort(port);
      if (received === undefined) break;
      budget -= 1;
      if (port === loop.task.main) command(loop, received.message as WorkerCommand, at);
      else neighbour(loop, received.message as HandedOver, at);
    }
  }
  if (budget === 0) native().wakeEvent(event);
}

function command(loop: Loop, order: WorkerCommand, at: number): void {
  if (order.type === 'elsewhere') {
    loop.elsewhere.learn(order.session, order.worker, order.keys);
    return;
  }
  const { io, senders, reports } = loop;
  const transmit: Parameters<typeof carryOut>[2] = (flow, octets) => {
    if (!senders.datagram(flow, octets)) io.sendFailed += 1;
  };
  carryOut(loop.engine, order, transmit, (report) => reports.push(report), at);
}

function neighbour(loop: Loop, packet: HandedOver, at: number): void {
  Atomics.sub(loop.shared, SHARED_PEERS + loop.task.index, 1);
  if (packet.type === 'inner') {
    if (guarded(loop, () => loop.engine.inner(packet.octets, at)) === false) loop.engine.unrouted();
    return;
  }
  const { via, listener, octets, ...flow } = packet;
  guarded(loop, () => loop.engine.outer({ via, listener, flow, octets }, at));
}

function fromOutside(loop: Loop, spec: SocketSpec, at: number): void {
  const { inbox, engine, io } = loop;
  const count = native().receiveBatch(spec.fd, inbox.buffer, SLOT_OCTETS, inbox.rows, BATCH_MAX);
  io.received += count;
  for (let row = 0; row < count; row += 1) {
    const flow = {
      local: inbox.address(row, Row.local),
      localPort: spec.port,
      remote: inbox.address(row, Row.remote),
      remotePort: spec.via === 'esp' ? 0 : inbox.word(row, Row.port),
    };
    // Cut off by its slot: empty, which no parser takes.
    const octets = inbox.word(row, Row.mark) === 0 ? inbox.octets(row) : new Uint8Array(0);
    const packet: OuterPacket = { via: spec.via, listener: spec.listener, flow, octets };
    const other = loop.task.workers > 1 ? ownerOf(loop, packet) : undefined;
    if (other === undefined) guarded(loop, () => engine.outer(packet, at));
    else handOverOuter(loop, other, packet);
  }
}

/** No packet may throw. Should one, it is lost alone, and the first of each turn says why. */
function guarded<T>(loop: Loop, handle: () => T): T | undefined {
  try {
    return handle();
  } catch (error) {
    loop.io.faults += 1;
    if (!loop.reports.some(({ type }) => type === 'fault'))
      loop.reports.push({ type: 'fault', why: String(error) });
    return undefined;
  }
}

function ownerOf(loop: Loop, packet: OuterPacket): number | undefined {
  if (packet.via === 'ike') return undefined;
  const header = parseEspHeader(packet.octets);
  return header.ok ? loop.elsewhere.find(spiKey(header.value.spi)) : undefined;
}

function handOverOuter(loop: Loop, worker: number, packet: OuterPacket): void {
  if (packet.via === 'ike') return;
  const { via, listener, flow, octets } = packet;
  handOver(loop, worker, {
    type: 'esp',
    via,
    listener,
    local: flow.local.slice(),
    localPort: flow.localPort,
    remote: flow.remote.slice(),
    remotePort: flow.remotePort,
    octets: octets.slice(),
  });
}

function fromTun(loop: Loop, at: number): void {
  const { inbox, engine, io } = loop;
  const count = native().readTun(loop.task.tun, inbox.buffer, SLOT_OCTETS, inbox.rows, BATCH_MAX);
  io.tunRead += count;
  for (let row = 0; row < count; row += 1) {
    const octets = inbox.octets(row);
    if (guarded(loop, () => engine.inner(octets, at)) !== false) continue;
    const key = loop.task.workers > 1 ? destinationKey(octets) : undefined;
    const other = key === undefined ? undefined : loop.elsewhere.find(key);
    if (other === undefined) engine.unrouted();
    else handOver(loop, other, { type: 'inner', octets: octets.slice() });
  }
}

function handOver(loop: Loop, worker: number, packet: HandedOver): void {
  const port = loop.task.peers[worker];
  const event = loop.task.events[worker];
  if (port === undefined || event === undefined) return;
  if (Atomics.add(loop.shared, SHARED_PEERS + worker, 1) >= HANDED_OVER_MAX) {
    Atomics.sub(loop.shared, SHARED_PEERS + worker, 1);
    loop.io.handOverFull += 1;
    return;
  }
  loop.io.handedOver += 1;
  port.postMessage(packet);
  native().wakeEvent(event);
}

function periodically(loop: Loop, at: number): void {
  if (at - loop.tickedAt >= TICK_MS) {
    loop.tickedAt = at;
    loop.engine.tick(at);
  }
  if (at - loop.reportedAt < REPORT_MS) return;
  loop.reportedAt = at;
  const sessions = loop.engine.takeReports(at);
  if (sessions.length > 0) loop.reports.push({ type: 'sessions', reports: sessions });
  const { index } = loop.task;
  loop.reports.push({
    type: 'counters',
    engine: index,
    counters: loop.engine.counters(),
    io: { ...loop.io },
  });
}

/**
 * Control packets are dropped when the main thread does not keep up, as a network would drop them; what
 * is ours (events, totals) is never dropped.
 */
function deliver(loop: Loop): void {
  if (loop.reports.length === 0) return;
  let batch: readonly PlaneReport[] = loop.reports;
  if (Atomics.load(loop.shared, SHARED_BACKLOG) >= BACKLOG_MAX) {
    batch = loop.reports.filter(({ type }) => type !== 'ike' && type !== 'l2tp' && type !== 'ppp');
    loop.io.backlogFull += loop.reports.length - batch.length;
  }
  Atomics.add(loop.shared, SHARED_BACKLOG, batch.length);
  loop.task.main.postMessage(batch);
  loop.reports.length = 0;
}
