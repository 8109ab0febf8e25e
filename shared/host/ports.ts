import type { Bus } from '@culvert/bus';
import type { DurationMs, EntropySeed, Instant } from '@culvert/kernel';
import type { Telemetry } from '@culvert/telemetry';

/** Time and its passing. The real one is `systemClock`; the simulator brings a virtual one. */
export interface Clock {
  now(): Instant;
  /** Milliseconds with fractions from an arbitrary start, never backwards: for measuring, never in a fact. */
  elapsed(): number;
  /** Calls back once, after at least `afterMs`; the answer cancels it. */
  after(afterMs: DurationMs, callback: () => void): () => void;
}

export interface EntropySource {
  /** 32 fresh octets. */
  seed(): EntropySeed;
}

/** Seals what is stored: AES-256-GCM under the cluster key, `place` (bucket, key, epoch) as AAD. */
export interface Sealer {
  seal(place: string, plain: Uint8Array): Uint8Array;
  /** Throws when the octets were not sealed for this place under this key. */
  open(place: string, sealed: Uint8Array): Uint8Array;
}

export interface HostPorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly entropy: EntropySource;
  readonly sealer: Sealer;
  readonly telemetry: Telemetry;
}
