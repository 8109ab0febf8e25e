import type { Bucket } from '@culvert/bus';
import { BusUnavailable } from '@culvert/bus';
import type { Taken } from '@culvert/contracts';
import type { Happening } from '@culvert/kernel';
import { backOff } from './backoff.ts';
import { claim } from './claim.ts';
import { deadlineHeap } from './deadlines.ts';
import { summarise } from './describe.ts';
import { drain } from './drain.ts';
import type { Answer, Engine, Session } from './engine.ts';
import type { Host } from './host.ts';
import { dispatch, enqueue } from './mailbox.ts';
import type { HostPorts } from './ports.ts';
import type { Protocol, Vault } from './protocol.ts';
import { restoreAll } from './restore.ts';
import { wake } from './session.ts';

/** The one host of ike, l2tp and ppp: it runs a protocol's sessions by the contract of a step (layout §3). */
export function createHost<Input, Body, E extends Happening, V extends Vault>(
  protocol: Protocol<Input, Body, E, V>,
  ports: HostPorts,
): Host<Input, V> {
  const engine = newEngine(protocol, ports);
  observe(engine);
  return {
    start: () => start(engine),
    input: (input, trace) => dispatch(engine, { kind: 'input', input, create: false, trace }),
    request: (id, input, trace) =>
      new Promise<Taken>((resolve, reject) => {
        const answer: Answer = { taken: resolve, failed: reject };
        dispatch(engine, { kind: 'input', input, create: false, trace, request: { id, answer } });
      }),
    move(from, into) {
      const session = engine.sessions.get(from);
      if (session !== undefined) enqueue(engine, session, { kind: 'move', into });
    },
    view: (session) => open(engine.sessions.get(session)),
    sessions: () => views(engine),
    admin: {
      status: () => ({
        sessions: engine.sessions.size,
        starting: engine.phase === 'starting',
        details: { phase: engine.phase, stalledWrites: engine.stalled },
      }),
      sessions: () => [...views(engine)].map((session) => summarise(engine, session)),
      session(id) {
        const session = open(engine.sessions.get(id));
        return session === undefined ? undefined : summarise(engine, session);
      },
    },
    drain: () => drain(engine),
  };
}

function newEngine<I, B, E extends Happening, V extends Vault>(
  protocol: Protocol<I, B, E, V>,
  ports: HostPorts,
): Engine<I, B, E, V> {
  const engine: Engine<I, B, E, V> = {
    protocol,
    ports,
    sessions: new Map(),
    deadlines: deadlineHeap(),
    lazy: new Set(),
    quarantined: new Set(),
    bucket: undefined,
    epoch: 0,
    phase: 'starting',
    stalled: 0,
    seqFloor: 0,
    flush: 'idle',
    cancelWake: undefined,
    wakeFor: Number.POSITIVE_INFINITY,
    enqueue: (session, job, where) => enqueue(engine, session, job, where),
    dispatch: (job) => dispatch(engine, job),
  };
  return engine;
}

async function start<I, B, E extends Happening, V extends Vault>(engine: Engine<I, B, E, V>): Promise<void> {
  for (let failures = 1; ; failures += 1) {
    try {
      const bucket: Bucket = await engine.ports.bus.bucket(engine.protocol.bucket);
      engine.bucket = bucket;
      engine.epoch = await claim(engine);
      await restoreAll(engine, bucket);
      break;
    } catch (error) {
      if (!(error instanceof BusUnavailable)) throw error;
      engine.ports.telemetry.log.warn(
        { error, bucket: engine.protocol.bucket },
        'no storage yet, will try again',
      );
    }
    await backOff(engine.ports, failures);
  }
  engine.phase = 'serving';
  // Timers waited while the bus was away; what is overdue fires now, in the order of deadlines.
  engine.ports.bus.onConnection(() => wake(engine));
  wake(engine);
}

function observe<I, B, E extends Happening, V extends Vault>(engine: Engine<I, B, E, V>): void {
  const { telemetry } = engine.ports;
  const attributes = { protocol: engine.protocol.name };
  const sum = (of: (session: Session<I, E, V>) => number) => {
    let total = 0;
    for (const session of engine.sessions.values()) total += of(session);
    return [[total, attributes]] as const;
  };
  telemetry.gauge('culvert.host.sessions', () => [[engine.sessions.size, attributes]]);
  telemetry.gauge('culvert.host.mailbox.depth', () => sum((session) => session.mailbox.length));
  telemetry.gauge('culvert.host.outbox.depth', () => sum((session) => session.outbox.length));
}

function open<I, E, V extends Vault>(session: Session<I, E, V> | undefined): Session<I, E, V> | undefined {
  return session === undefined || session.trace === '' || session.phase === 'gone' ? undefined : session;
}

function* views<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
): Iterable<Session<I, E, V>> {
  for (const session of engine.sessions.values()) if (open(session) !== undefined) yield session;
}
