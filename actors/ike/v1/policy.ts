import type { Phase1Encryption, Phase1Hash } from './proposal/phase-1-offer.ts';
import type { EspEncryption, EspIntegrity } from './proposal/phase-2-offer.ts';

/** What this gateway accepts and how long it waits; made from the configuration by the service. */
export interface IkePolicy {
  readonly phase1: {
    readonly encryption: readonly Phase1Encryption[];
    readonly hash: readonly Phase1Hash[];
    /** IANA group numbers. */
    readonly groups: readonly number[];
    readonly lifetimeSeconds: number;
  };
  readonly phase2: {
    readonly encryption: readonly EspEncryption[];
    readonly integrity: readonly EspIntegrity[];
    readonly groups: readonly number[];
    readonly lifetimeSeconds: number;
  };
  readonly halfOpenMs: number;
  readonly dpd: { readonly intervalMs: number; readonly timeoutMs: number };
  readonly sasPerSessionMax: number;
  readonly fragmentation: boolean;
}
