/** All chance of a simulated world: the same seed gives the same run. */
export interface Chance {
  /** A number in [0, 1). */
  next(): number;
  /** True with this probability. */
  happens(probability: number): boolean;
  /** A whole number in [0, below). */
  below(limit: number): number;
  octets(length: number): Uint8Array;
  /** A stream of its own, so that more draws in one place do not shift those in another. */
  fork(name: string): Chance;
}

/** xoshiro128** seeded by splitmix32: small, good enough for faults, and not for anything secret. */
export function seededChance(seed: number): Chance {
  let mix = seed >>> 0;
  const splitmix = () => {
    mix = (mix + 0x9e3779b9) >>> 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  let [a, b, c, d] = [splitmix(), splitmix(), splitmix(), splitmix()];
  const word = () => {
    const scaled = Math.imul(b, 5);
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  const chance: Chance = {
    next: () => word() / 2 ** 32,
    happens: (probability) => probability > 0 && chance.next() < probability,
    below: (limit) => Math.floor(chance.next() * limit),
    octets: (length) => Uint8Array.from({ length }, () => word() & 0xff),
    fork(name) {
      let hash = seed >>> 0;
      for (let index = 0; index < name.length; index += 1) {
        hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193) >>> 0;
      }
      return seededChance(hash);
    },
  };
  return chance;
}
