import type { Suite } from './sessions.ts';

/** Median of the runs, and the worst and best of them. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One thread that does nothing but encrypt and decrypt packets of this size, in bits of payload. */
export interface CryptoRow {
  readonly suite: Suite;
  readonly backend: string;
  readonly octets: number;
  readonly sealBitsPerSecond: number;
  readonly openBitsPerSecond: number;
}

/** TCP through tunnels between the two namespaces, in bits of payload; up is from the clients. */
export interface TunnelRow {
  readonly suite: Suite;
  readonly backend: string;
  readonly workers: number;
  readonly direction: 'up' | 'down';
  readonly bitsPerSecond: Spread;
  /** Payload for each second of processor time that the gateway's end used. */
  readonly bitsPerCpuSecond: number;
}

export interface PacketRow {
  readonly suite: Suite;
  readonly backend: string;
  readonly workers: number;
  readonly packetsPerSecond: Spread;
  readonly packetsPerCpuSecond: number;
}

export interface MachineReport {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryOctets: number;
  readonly kernel: string;
  readonly node: string;
  /** Each cipher library with its version, or with what keeps it from being used. */
  readonly ciphers: readonly string[];
}

export interface BenchSettings {
  readonly seconds: number;
  readonly runs: number;
  readonly sessions: number;
  readonly suites: readonly Suite[];
  readonly outerMtu: number;
  readonly innerMtu: number;
  readonly smallPacketOctets: number;
}

export interface BenchResult {
  readonly version: string;
  readonly machine: MachineReport;
  readonly settings: BenchSettings;
  readonly crypto: readonly CryptoRow[];
  readonly tunnel: readonly TunnelRow[];
  readonly packets: readonly PacketRow[];
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: sorted[sorted.length >>> 1] ?? 0, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 };
}
