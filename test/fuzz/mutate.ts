import { concat, viewOf } from '@culvert/wire';
import type { Chance } from '../sim/chance.ts';

/** Values at which length arithmetic and signs break. */
const OCTETS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0x0f, 0x10, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xfe, 0xff];
const WORDS = [0, 1, 2, 3, 4, 6, 7, 8, 12, 27, 28, 0xff, 0x100, 0x3ff, 0x400, 0x7fff, 0x8000, 0xfffe, 0xffff];
const LONGS = [0, 1, 27, 28, 29, 0xff, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff];
const REPEATS_MAX = 300;
const SIZE_MAX = 70_000;

type Mutation = (octets: Uint8Array, chance: Chance, corpus: readonly Uint8Array[]) => Uint8Array;

/** A place in the input, more often near its start, where the headers are. */
function place(octets: Uint8Array, chance: Chance): number {
  const limit = chance.happens(0.6) ? Math.min(octets.length, 48) : octets.length;
  return limit === 0 ? 0 : chance.below(limit);
}

function pick<T>(chance: Chance, from: readonly T[]): T {
  return from[chance.below(from.length)] as T;
}

const flip: Mutation = (octets, chance) => {
  if (octets.length === 0) return octets;
  const at = place(octets, chance);
  octets[at] = (octets[at] ?? 0) ^ (1 << chance.below(8));
  return octets;
};

const octet: Mutation = (octets, chance) => {
  if (octets.length > 0)
    octets[place(octets, chance)] = chance.happens(0.5) ? pick(chance, OCTETS) : chance.below(256);
  return octets;
};

/** A length, a count or a type that says something else than what follows. */
const lie: Mutation = (octets, chance) => {
  const at = place(octets, chance);
  if (octets.length - at < 2) return octets;
  const view = viewOf(octets);
  const rest = octets.length - at;
  const near = [rest, rest - 1, rest + 1, octets.length, octets.length + 1, view.getUint16(at) + 1];
  view.setUint16(at, (chance.happens(0.5) ? pick(chance, WORDS) : pick(chance, near)) & 0xffff);
  return octets;
};

const long: Mutation = (octets, chance) => {
  const at = place(octets, chance);
  if (octets.length - at >= 4)
    viewOf(octets).setUint32(at, chance.happens(0.7) ? pick(chance, LONGS) : octets.length);
  return octets;
};

const truncate: Mutation = (octets, chance) => octets.subarray(0, chance.below(octets.length + 1));

const extend: Mutation = (octets, chance) =>
  concat(octets, chance.happens(0.5) ? new Uint8Array(chance.below(64)) : chance.octets(chance.below(64)));

const cut: Mutation = (octets, chance) => {
  const from = place(octets, chance);
  return concat(octets.subarray(0, from), octets.subarray(from + chance.below(16)));
};

const repeat: Mutation = (octets, chance) => {
  const from = place(octets, chance);
  const piece = octets.subarray(from, from + 1 + chance.below(40));
  const room = Math.floor((SIZE_MAX - octets.length) / Math.max(1, piece.length));
  const times = Math.min(room, chance.happens(0.9) ? 1 + chance.below(4) : chance.below(REPEATS_MAX));
  if (times <= 0) return octets;
  const pieces = new Array<Uint8Array>(times).fill(piece);
  return concat(octets.subarray(0, from), ...pieces, octets.subarray(from));
};

const splice: Mutation = (octets, chance, corpus) => {
  const other = pick(chance, corpus);
  const to = place(octets, chance);
  const from = chance.happens(0.5) ? to : place(other, chance);
  return concat(octets.subarray(0, to), other.subarray(Math.min(from, other.length)));
};

const noise: Mutation = (octets, chance) => {
  const at = place(octets, chance);
  octets.set(chance.octets(Math.min(octets.length - at, 1 + chance.below(16))), at);
  return octets;
};

const MUTATIONS: readonly Mutation[] = [
  flip,
  flip,
  octet,
  octet,
  lie,
  lie,
  long,
  truncate,
  extend,
  cut,
  repeat,
  splice,
  noise,
];

/** A neighbour of one of the samples: usually a few steps away, sometimes itself, sometimes nothing like it. */
export function mutated(chance: Chance, corpus: readonly Uint8Array[]): Uint8Array {
  if (chance.happens(0.02)) return chance.octets(chance.below(200));
  let octets: Uint8Array = pick(chance, corpus).slice();
  if (chance.happens(0.03)) return octets;
  const steps = 1 + chance.below(chance.happens(0.8) ? 3 : 12);
  for (let step = 0; step < steps; step += 1)
    octets = pick(chance, MUTATIONS)(octets.slice(), chance, corpus);
  return octets.subarray(0, SIZE_MAX);
}
