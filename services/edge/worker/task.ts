import type { MessagePort } from 'node:worker_threads';
import type { IvOptions } from '../esp/index.ts';
import type { SocketSpec } from '../machine/listeners.ts';
import type { AccountSize } from '../native/engine/index.ts';
import type { EnginePolicy, Mark } from '../pipeline/index.ts';
import type { PlaneCommand } from '../service/plane.ts';

/** What one packet worker is told when it starts. Descriptors stay the main thread's to close. */
export interface WorkerTask {
  readonly index: number;
  readonly workers: number;
  readonly tun: number;
  readonly sockets: readonly SocketSpec[];
  /** eventfds by worker; `events[index]` wakes this one. */
  readonly events: readonly number[];
  /** Commands in, reports out. */
  readonly main: MessagePort;
  readonly shared: SharedArrayBuffer;
  /** Counters of this worker's engine, which the main thread reads. */
  readonly account: SharedArrayBuffer;
  readonly accountSize: AccountSize;
  /** Packets between workers. */
  readonly rings: SharedArrayBuffer;
  readonly ringOctets: number;
  readonly ivs: IvOptions;
  readonly policy: EnginePolicy;
  readonly replayWindow: number;
  readonly past: ReadonlyMap<number, Mark>;
  readonly tuning: Tuning;
  /** Milliseconds since the epoch at `process.hrtime` zero: all threads tell the same time. */
  readonly epochMs: number;
}

/** How an engine works, for what is measured and for machines that lack something. */
export interface Tuning {
  /** The cipher: `ipsec-mb`, `openssl`, or empty for the best there is. */
  readonly backend: string;
  /** Super-packets towards the tun, and of UDP among them; towards peers. */
  readonly coalesce: boolean;
  readonly coalesceUdp: boolean;
  readonly segment: boolean;
}

export type WorkerCommand =
  | PlaneCommand
  /** What the other workers serve, so that a stray packet finds its way. */
  | {
      readonly type: 'elsewhere';
      readonly session: string;
      readonly worker: number;
      readonly prefixes: readonly string[];
    };

/** Words of the shared memory: stop flag, messages under way to the main thread from all workers. */
export const SHARED_STOP = 0;
export const SHARED_BACKLOG = 1;
export const SHARED_OCTETS = 2 * Int32Array.BYTES_PER_ELEMENT;

/** More than this under way is a receiver that does not keep up: further packets are dropped. */
export const BACKLOG_MAX = 8_192;
