/** The engine of the addon. `at` is milliseconds since the epoch; failures throw, peers' faults are counted. */
export interface NativeEngine {
  /** Why it was refused as a whole, or undefined. */
  declare(declaration: Uint8Array, at: number): string | undefined;
  grant(inboundSpi: number, first: number, end: number, at: number): void;
  setPolicy(policy: Uint8Array): string | undefined;
  outer(packets: Uint8Array, at: number): void;
  /** -2: nobody's, -1: a link of ours, else the worker that has it. `segment`: it is a super-packet. */
  inner(packet: Uint8Array, at: number, segment?: number): number;
  l2tp(session: string, localPort: number, remotePort: number, message: Uint8Array, at: number): void;
  ppp(session: string, call: number, frame: Uint8Array, at: number): void;
  tick(at: number): void;
  publish(at: number): void;
  unrouted(): void;
  elsewhere(address: Uint8Array, bits: number, worker: number): void;
  takeRecords(): Uint8Array | undefined;
  /** Blocks the thread, at most so long; true: somebody has posted a command. */
  run(maxMs: number): boolean;
  send(flow: Uint8Array, datagram: Uint8Array): void;
  readonly backend: string;
}

export interface NativeEngineOptions {
  /** `ipsec-mb`, `openssl`, or empty for the best there is. */
  readonly backend: string;
  /** Node id and generation: what stands in front of every explicit IV. */
  readonly ivPrefix: number;
  readonly ivKey: Uint8Array;
  readonly policy: Uint8Array;
  readonly replayWindow: number;
  readonly account: Uint8Array;
  readonly sessionsMax: number;
  readonly sasMax: number;
  readonly past: Uint8Array;
  readonly coalesce: boolean;
  readonly coalesceUdp: boolean;
  readonly segment: boolean;
  /** Without it packets come back as records. */
  readonly loop?: NativeLoopOptions;
}

export interface NativeLoopOptions {
  readonly index: number;
  readonly workers: number;
  readonly tun: number;
  readonly event: number;
  readonly events: readonly number[];
  readonly epochMs: number;
  readonly rings: Uint8Array;
  readonly ringOctets: number;
  readonly sockets: readonly NativeSocket[];
}

export interface NativeSocket {
  readonly fd: number;
  readonly via: number;
  readonly listener: number;
  readonly ipv6: boolean;
  readonly local: Uint8Array;
  readonly port: number;
  readonly every: boolean;
}
