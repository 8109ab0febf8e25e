import { invariant } from '@culvert/kernel';

/**
 * The anti-replay window of RFC 4303 §3.4.3 in the manner of RFC 6479: a ring of 32-bit blocks, one more
 * than the window needs, so that moving it clears whole blocks instead of shifting. A plain value.
 */
export interface ReplayWindow {
  /** The highest authenticated sequence number; 0 before the first packet. */
  readonly top: number;
  readonly size: number;
  readonly blocks: Uint32Array;
}

export const REPLAY_WINDOW_MIN = 64;
export const REPLAY_WINDOW_MAX = 65_536;
export const REPLAY_WINDOW_DEFAULT = 1024;
const BLOCK_BITS = 32;

/** `size` is rounded up to whole blocks. All up to `top` counts as seen. */
export function newWindow(size = REPLAY_WINDOW_DEFAULT, top = 0): ReplayWindow {
  invariant(size >= REPLAY_WINDOW_MIN && size <= REPLAY_WINDOW_MAX, 'replay window: size out of range');
  const blocks = Math.ceil(size / BLOCK_BITS);
  const ring = new Uint32Array(blocks + 1);
  if (top > 0) {
    ring.fill(0xffff_ffff);
    const at = Math.floor(top / BLOCK_BITS) % ring.length;
    // Numbers above it in its own block are still to come.
    ring[at] = 0xffff_ffff >>> (BLOCK_BITS - 1 - (top % BLOCK_BITS));
  }
  return { top, size: blocks * BLOCK_BITS, blocks: ring };
}

export type Freshness = 'newest' | 'fresh' | 'replayed' | 'too-old';

export function freshness(window: ReplayWindow, sequence: number): Freshness {
  // RFC 4303 §3.3.3: the first packet has 1, and without extended numbers the counter must not cycle.
  if (sequence === 0) return 'replayed';
  if (sequence > window.top) return 'newest';
  if (window.top - sequence >= window.size) return 'too-old';
  return bitOf(window, sequence) ? 'replayed' : 'fresh';
}

function bitOf(window: ReplayWindow, sequence: number): boolean {
  const block = Math.floor(sequence / BLOCK_BITS) % window.blocks.length;
  return (((window.blocks[block] ?? 0) >>> (sequence % BLOCK_BITS)) & 1) === 1;
}

/** The window after an authenticated packet that was `newest` or `fresh`. */
export function accepted(window: ReplayWindow, sequence: number): ReplayWindow {
  const blocks = window.blocks.slice();
  const ring = blocks.length;
  const to = Math.floor(sequence / BLOCK_BITS);
  if (sequence > window.top) {
    const from = Math.floor(window.top / BLOCK_BITS);
    const moved = Math.min(to - from, ring);
    for (let step = 0; step < moved; step += 1) blocks[(to - step) % ring] = 0;
  }
  const at = to % ring;
  blocks[at] = ((blocks[at] ?? 0) | (1 << (sequence % BLOCK_BITS))) >>> 0;
  return { ...window, top: Math.max(window.top, sequence), blocks };
}
