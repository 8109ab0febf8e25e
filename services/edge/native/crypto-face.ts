import type { EspEncryption, EspIntegrity } from '@culvert/contracts';
import { type Native, native } from './index.ts';

/** The part of the addon that seals and opens ESP packets, for tests and for who examines a machine. */
export interface NativeCrypto {
  /** Each with its self-test run: `why` tells what a backend that is not usable lacks. */
  cryptoBackends(): readonly BackendState[];
  /** Empty when all answers were right. */
  cryptoSelfTest(backend: BackendName): string;
  /** In place; the IV is there already. */
  cryptoSeal(backend: BackendName, jobs: readonly CryptoJob[]): readonly boolean[];
  /** In place; what does not answer true is not plaintext. */
  cryptoOpen(backend: BackendName, jobs: readonly CryptoJob[]): readonly boolean[];
  /** Packets a second of CPU time of one thread, `batch` of them in a call. */
  cryptoRates(
    backend: BackendName,
    suite: CryptoSuite,
    octets: number,
    batch: number,
    milliseconds: number,
  ): CryptoRates;
  /** The native source of unpredictable IVs; `prefix` is node id and generation. */
  cryptoIvs(prefix: number, key: Uint8Array, requests: readonly IvRequest[]): readonly Uint8Array[];
}

export type BackendName = 'ipsec-mb' | 'openssl';

export interface BackendState {
  readonly name: BackendName;
  readonly version: string;
  readonly usable: boolean;
  readonly why: string;
}

export interface CryptoSuite {
  readonly encryption: EspEncryption;
  readonly integrity: EspIntegrity;
}

export interface CryptoJob extends CryptoSuite {
  readonly encryptionKey: Uint8Array;
  readonly integrityKey: Uint8Array;
  readonly salt: Uint8Array;
  /** SPI to ICV, with a body of whole blocks. */
  readonly packet: Uint8Array;
  readonly icvOctets: number;
  readonly esn: boolean;
  readonly sequenceHigh: number;
}

export interface CryptoRates {
  readonly sealPerSecond: number;
  readonly openPerSecond: number;
  /** To expand the keys of one direction and to wipe them. */
  readonly initNanoseconds: number;
  readonly contextOctets: number;
}

export interface IvRequest {
  readonly spi: number;
  readonly sequence: number;
  readonly octets: 8 | 16;
}

export function nativeCrypto(): NativeCrypto {
  return native() as Native & NativeCrypto;
}
