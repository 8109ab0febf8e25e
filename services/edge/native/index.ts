import { createRequire } from 'node:module';
import type { NativeEngine, NativeEngineOptions } from './engine/native-engine.ts';

/**
 * The TypeScript face of the addon: the packet engine, and what opens the devices and sockets that it drives.
 * Descriptors are plain numbers, valid in every thread of the process; whoever opened one closes it. Failures
 * throw `SystemError`.
 */
export interface Native {
  readonly Engine: new (options: NativeEngineOptions) => NativeEngine;
  /**
   * No packet information, a virtio header in front of every packet, super-packets both ways (`udp`: of UDP
   * too), non-blocking; `name` may be empty or hold `%d`. Needs CAP_NET_ADMIN.
   */
  openTun(
    name: string,
    multiQueue: boolean,
  ): { readonly fd: number; readonly name: string; readonly udp: boolean };
  /**
   * `members` 0: a socket alone. Else one member of a reuse-port group of that size, chosen by the SPI's
   * low octet modulo `members`; the order of opening numbers them, and member 0 gets IKE and keepalives.
   * `gro`: the kernel joins datagrams, for readers with buffers of 64 KiB.
   */
  openUdp(address: string, port: number, members: number, gro: boolean): number;
  /** Takes ESP whose SPI's low octet modulo `members` is `index`. Needs CAP_NET_RAW. */
  openRawEsp(ipv6: boolean, members: number, index: number): number;
  boundPort(fd: number): number;
  /** Packet i goes to slot i of `buffer`, its metadata to row i; answers how many (0: none waiting). */
  receiveBatch(fd: number, buffer: Uint8Array, slotOctets: number, rows: Int32Array, max: number): number;
  /** Answers how many could not be sent; the `mark` of their rows is the errno. */
  sendBatch(fd: number, buffer: Uint8Array, rows: Int32Array, count: number): number;
  openEvent(): number;
  wakeEvent(fd: number): void;
  drainEvent(fd: number): void;
  /** Blocks the thread; `ready[i]` gets the poll(2) events of `fds[i]`. */
  pollReady(fds: Int32Array, ready: Int32Array, timeoutMs: number): number;
  closeDescriptor(fd: number): void;
}

export interface SystemError extends Error {
  readonly syscall: string;
  readonly errno: number;
  readonly code: string;
}

/** One row of metadata, in 32-bit words; addresses are 16 octets each, IPv4 mapped. */
export const ROW_WORDS = 12;
export const BATCH_MAX = 64;
export const Row = {
  offset: 0,
  length: 1,
  port: 2,
  /** Received: 1 when the packet was longer than its slot. Sent: the errno, 0 for success. */
  mark: 3,
  remote: 4,
  local: 8,
} as const;

/** CULVERT_NATIVE=sanitized: the addon that `build.ts --sanitize` makes, for tests. */
const ADDON =
  process.env.CULVERT_NATIVE === 'sanitized'
    ? './build/sanitized/culvert_native.node'
    : './build/culvert_native.node';

let loaded: Native | undefined;

/** Throws when the addon has not been built: `node services/edge/native/build.ts`. */
export function native(): Native {
  if (loaded === undefined) {
    const require = createRequire(import.meta.url);
    try {
      loaded = require(ADDON) as Native;
    } catch (cause) {
      throw new Error('the native addon is missing: run deploy/setup', { cause });
    }
  }
  return loaded;
}
