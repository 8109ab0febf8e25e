import { createCipheriv, createSecretKey } from 'node:crypto';
import { invariant } from '@culvert/kernel';
import { viewOf } from '@culvert/wire';
import { SUBSPACE } from './extended.ts';

/**
 * Where IVs come from, so that none repeats under a key, whoever else has the key: the node's id and the
 * generation of this start of the engine stand in front of the sequence number. Of an extended number that is
 * the low half: whoever seals must stay within 2^32 numbers of an SA for each generation.
 */
export interface IvSource {
  /** 8 octets for AES-GCM (RFC 4106 §3.1), unique per key. */
  unique(sequence: number): Uint8Array;
  /** 8 or 16 octets for CBC, which an observer cannot predict (RFC 3602 §3). */
  unpredictable(spi: number, sequence: number, octets: 8 | 16): Uint8Array;
}

export interface IvOptions {
  /** 1..255, never the same on two nodes. */
  readonly nodeId: number;
  /** 1..2^24-1, never the same in two starts of one node. */
  readonly generation: number;
  /** 32 secret octets, fresh for each start. */
  readonly cbcKey: Uint8Array;
}

export const GENERATION_MAX = 0xff_ffff;

export function createIvSource(options: IvOptions): IvSource {
  const { nodeId, generation } = options;
  invariant(nodeId >= 1 && nodeId <= 0xff, 'IV: node id out of range');
  invariant(generation >= 1 && generation <= GENERATION_MAX, 'IV: generation out of range');
  invariant(options.cbcKey.length === 32, 'IV: key must have 32 octets');
  const prefix = nodeId * 0x100_0000 + generation;
  const key = createSecretKey(options.cbcKey);
  // One cipher for the life of the engine: ECB without padding is the bare block function.
  const block = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  return {
    unique(sequence) {
      const iv = new Uint8Array(8);
      const view = viewOf(iv);
      view.setUint32(0, prefix);
      view.setUint32(4, sequence % SUBSPACE);
      return iv;
    },
    unpredictable(spi, sequence, octets) {
      const counter = new Uint8Array(16);
      const view = viewOf(counter);
      view.setUint32(0, prefix);
      view.setUint32(4, sequence % SUBSPACE);
      view.setUint32(8, spi);
      return new Uint8Array(block.update(counter)).subarray(0, octets);
    },
  };
}
