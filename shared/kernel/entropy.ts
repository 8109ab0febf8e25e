import { invariant } from './invariant.ts';

/**
 * 32 octets drawn from the system when a fact was stamped, and everything random that the fact's step
 * needs is expanded from them, so that a replay of the fact gives the same octets.
 *
 * Only **exposed** octets may be had here: nonces, cookies, challenges, magic numbers, identifiers, all
 * of which the peer sees. Facts are journaled; what must stay secret (DH private values, keys) is made by
 * a service and reaches a machine as a handle.
 */
export type EntropySeed = Uint8Array & { readonly entropySeed?: never };

export const SEED_OCTETS = 32;
const BLOCK_OCTETS = 64;

/**
 * `length` exposed octets (at most 256) for one purpose. The same seed and purpose give the same octets,
 * so each use within a step names its own `purpose` (0..2^32-1).
 */
export function exposed(seed: EntropySeed, purpose: number, length: number): Uint8Array {
  invariant(length >= 0 && length <= 256, 'exposed: length out of range');
  const out = new Uint8Array(length);
  for (let block = 0; block * BLOCK_OCTETS < length; block += 1) {
    const octets = chachaBlock(seed, block, purpose, 0x6578706f);
    out.set(octets.subarray(0, Math.min(BLOCK_OCTETS, length - block * BLOCK_OCTETS)), block * BLOCK_OCTETS);
  }
  return out;
}

/** The seed for the `index`-th event that the router delivers within one step. */
export function childSeed(seed: EntropySeed, index: number): EntropySeed {
  return chachaBlock(seed, index, 0, 0x6368696c).subarray(0, SEED_OCTETS);
}

/** RFC 8439 §2.3: the ChaCha20 block function, as the expansion of a seed. The third nonce word is 0. */
export function chachaBlock(key: Uint8Array, counter: number, nonce0: number, nonce1: number): Uint8Array {
  invariant(key.length === SEED_OCTETS, 'entropy seed must have 32 octets');
  const keyView = new DataView(key.buffer, key.byteOffset, key.byteLength);
  const initial = new Uint32Array(16);
  initial.set([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574]);
  for (let word = 0; word < 8; word += 1) initial[4 + word] = keyView.getUint32(word * 4, true);
  initial.set([counter, nonce0, nonce1, 0], 12);
  const state = initial.slice();
  for (let round = 0; round < 10; round += 1) {
    quarter(state, 0, 4, 8, 12);
    quarter(state, 1, 5, 9, 13);
    quarter(state, 2, 6, 10, 14);
    quarter(state, 3, 7, 11, 15);
    quarter(state, 0, 5, 10, 15);
    quarter(state, 1, 6, 11, 12);
    quarter(state, 2, 7, 8, 13);
    quarter(state, 3, 4, 9, 14);
  }
  const block = new Uint8Array(BLOCK_OCTETS);
  const view = new DataView(block.buffer);
  for (let word = 0; word < 16; word += 1) {
    view.setUint32(word * 4, ((state[word] ?? 0) + (initial[word] ?? 0)) >>> 0, true);
  }
  return block;
}

function quarter(s: Uint32Array, a: number, b: number, c: number, d: number): void {
  const mix = (into: number, add: number, xor: number, bits: number) => {
    s[into] = (s[into] ?? 0) + (s[add] ?? 0);
    const x = (s[xor] ?? 0) ^ (s[into] ?? 0);
    s[xor] = (x << bits) | (x >>> (32 - bits));
  };
  mix(a, b, d, 16);
  mix(c, d, b, 12);
  mix(a, b, d, 8);
  mix(c, d, b, 7);
}
