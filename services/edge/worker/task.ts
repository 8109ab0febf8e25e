import type { MessagePort } from 'node:worker_threads';
import type { IvOptions } from '../esp/index.ts';
import type { SocketSpec } from '../machine/listeners.ts';
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
  /** To the other workers, by index; none at our own. */
  readonly peers: readonly (MessagePort | undefined)[];
  readonly shared: SharedArrayBuffer;
  readonly ivs: IvOptions;
  readonly policy: EnginePolicy;
  readonly replayWindow: number;
  readonly past: ReadonlyMap<number, Mark>;
  /** Milliseconds since the epoch at `process.hrtime` zero: all threads tell the same time. */
  readonly epochMs: number;
}

export type WorkerCommand =
  | PlaneCommand
  /** What the other workers serve, so that a stray packet finds its way. */
  | {
      readonly type: 'elsewhere';
      readonly session: string;
      readonly worker: number;
      readonly keys: readonly string[];
    };

/** A packet for a neighbour. */
export type HandedOver =
  | { readonly type: 'inner'; readonly octets: Uint8Array }
  | {
      readonly type: 'esp';
      readonly via: 'nat-traversal' | 'esp';
      readonly listener: string;
      readonly local: Uint8Array;
      readonly localPort: number;
      readonly remote: Uint8Array;
      readonly remotePort: number;
      readonly octets: Uint8Array;
    };

/**
 * Words of the shared memory: stop flag, messages under way to the main thread (from all workers), then
 * messages under way to each worker from its neighbours.
 */
export const SHARED_STOP = 0;
export const SHARED_BACKLOG = 1;
export const SHARED_PEERS = 2;

/** More than this under way is a receiver that does not keep up: further packets are dropped. */
export const BACKLOG_MAX = 8_192;
export const HANDED_OVER_MAX = 1_024;

export function sharedOctets(workers: number): number {
  return (SHARED_PEERS + workers) * Int32Array.BYTES_PER_ELEMENT;
}
