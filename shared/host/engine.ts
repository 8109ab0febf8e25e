import type { Bucket } from '@culvert/bus';
import type { Taken } from '@culvert/contracts';
import type { Happening, Instant, SessionState, TimerTable } from '@culvert/kernel';
import type { Deadlines } from './deadlines.ts';
import type { HostPorts } from './ports.ts';
import type { Protocol, SessionView, Vault } from './protocol.ts';

/** One session as its host keeps it. It is its own view; there are no closures per session. */
export interface Session<Input, E, V extends Vault> extends SessionView<V> {
  state: SessionState;
  vault: V;
  /** Empty until the first step: what founds nothing gets no trace. */
  trace: string;
  readonly since: Instant;
  timers: TimerTable;
  /** Of the last fact. Starts from the clock, so that no effect id is ever used twice. */
  seq: number;
  /** Of the record; 0 while there is none. */
  revision: number;
  sealedForward: Uint8Array | undefined;
  /** Ids of requests that were taken, oldest first. */
  recent: string[];
  /** Service effects whose answer has not yet been stepped. */
  outbox: Effort<E>[];
  mailbox: Job<Input, E, V>[];
  /** Inputs that may found the session anew once this one has ended. */
  parked: Job<Input, E, V>[] | undefined;
  busy: boolean;
  /** `ending`: over, but the outbox is not empty yet. `gone`: nothing may touch it any more. */
  phase: 'open' | 'ending' | 'gone';
  /** Where its machines are now, after a move. */
  into: Session<Input, E, V> | undefined;
  /** The session that this one is being moved into, stored so that a restore finishes the move. */
  moving: string | undefined;
  /** Changed since the last write. */
  dirty: boolean;
  /** The write under way; never rejects. */
  writing: Promise<void> | undefined;
  /** Requests to be answered by the write that stores their step. */
  owed: Answer[];
  /** When the shared deadline heap calls for this session. */
  wakeAt: Instant;
}

/** A service effect under way. */
export interface Effort<E> {
  readonly id: string;
  readonly from: string;
  readonly effect: E;
  /** Of the step that asked for it. */
  readonly trace: string;
  readonly lane: string;
  record: { readonly bucket: string; readonly key: string; readonly revision: number } | undefined;
  /** `planned` until its step is as durable as it is going to be: nobody may start it before that. */
  state: 'planned' | 'waiting' | 'running' | 'answered';
  attempts: number;
}

export interface Answer {
  taken(answer: Taken): void;
  /** Nobody knows: the sender repeats. */
  failed(error: Error): void;
}

export type Job<Input, E, V extends Vault> =
  | {
      readonly kind: 'input';
      readonly input: Input;
      readonly create: boolean;
      readonly trace: string | undefined;
      readonly request?: { readonly id: string; readonly answer: Answer };
      /** The service effect that this input answers. */
      readonly effort?: Effort<E>;
    }
  | { readonly kind: 'timer'; readonly key: string; readonly generation: number }
  | { readonly kind: 'move'; readonly into: string }
  | { readonly kind: 'absorb'; readonly from: Session<Input, E, V> }
  | { readonly kind: 'finish' }
  /** Somebody else has written the record. */
  | { readonly kind: 'displaced' };

/** What all parts of one host share. */
export interface Engine<Input, Body, E extends Happening, V extends Vault> {
  readonly protocol: Protocol<Input, Body, E, V>;
  readonly ports: HostPorts;
  readonly sessions: Map<string, Session<Input, E, V>>;
  readonly deadlines: Deadlines<Session<Input, E, V>>;
  /** Sessions with a batched write to come. */
  readonly lazy: Set<Session<Input, E, V>>;
  /** Stopped by a fault of ours; bounded, oldest forgotten first. */
  readonly quarantined: Set<string>;
  bucket: Bucket | undefined;
  /** This host's fencing token; 0 until it has claimed its bucket. */
  epoch: number;
  phase: 'starting' | 'serving' | 'draining' | 'stopped';
  /** Writes that have failed more than once in a row and are being repeated. */
  stalled: number;
  /** No new session starts its `seq` below this. */
  seqFloor: number;
  flush: 'idle' | 'armed' | 'running';
  cancelWake: (() => void) | undefined;
  wakeFor: Instant;
  /** Hands a job to a session, which runs it when its turn comes. */
  enqueue(session: Session<Input, E, V>, job: Job<Input, E, V>, where?: 'first' | 'last'): void;
  /** Hands over an input as if it had just arrived. */
  dispatch(job: Extract<Job<Input, E, V>, { kind: 'input' }>): void;
}

/** Ids remembered per session; a sender repeats only what is in its outbox, which is far less. */
export const RECENT_MAX = 64;

/** Another host has written the record: this one must not act for the session any more. */
export class Fenced extends Error {
  override readonly name = 'Fenced';
}

/** The host has let go while something was still waiting. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

export function drop<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  reason: string,
): void {
  engine.ports.telemetry.count('culvert.host.drops', { protocol: engine.protocol.name, reason });
}
