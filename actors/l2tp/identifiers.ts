import { type EntropySeed, exposed } from '@culvert/kernel';
import { SLOT_BITS } from './limits.ts';

/** One purpose per use of a fact's entropy, so that no two draw the same octets. */
export const PURPOSE = {
  tunnelId: 1,
  challenge: 2,
  callId: 3,
  tieBreaker: 4,
  /** Plus the message's Ns. */
  randomVector: 0x10000,
} as const;

const CANDIDATES = 64;

/** A random Tunnel ID, never zero, not `taken`. */
export function freshTunnelId(entropy: EntropySeed, taken: (id: number) => boolean): number {
  return fresh(entropy, PURPOSE.tunnelId, (random) => random, taken);
}

/**
 * A random Session ID, never zero, not `taken`. Its low bits are the tunnel's slot: PPP and the edge know
 * a call by this number alone, so it must be unlike those of the session's other tunnels.
 */
export function freshCallId(entropy: EntropySeed, slot: number, taken: (id: number) => boolean): number {
  const mask = (1 << SLOT_BITS) - 1;
  return fresh(entropy, PURPOSE.callId, (random) => (random & ~mask) | slot, taken);
}

function fresh(
  entropy: EntropySeed,
  purpose: number,
  shape: (random: number) => number,
  taken: (id: number) => boolean,
): number {
  const octets = exposed(entropy, purpose, CANDIDATES * 2);
  for (let index = 0; index < octets.length; index += 2) {
    const id = shape(((octets[index] ?? 0) << 8) | (octets[index + 1] ?? 0));
    if (id !== 0 && !taken(id)) return id;
  }
  // With so few identifiers in use, one is free within a handful of steps.
  for (let random = 1 << SLOT_BITS; ; random += 1 << SLOT_BITS) {
    const id = shape(random & 0xffff);
    if (id !== 0 && !taken(id)) return id;
  }
}
