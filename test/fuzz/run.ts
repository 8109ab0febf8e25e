/**
 * What every fuzz target of this folder shares: how long it runs, and with which seed. A failure prints both;
 * `CULVERT_SEED=<seed> CULVERT_FUZZ_ROUNDS=<rounds>` repeats it.
 */
import { type Chance, seededChance } from '../sim/chance.ts';

const { CULVERT_SEED, CULVERT_FUZZ_ROUNDS } = process.env;

/** Of `npm test`: the same every time. A long run draws its own. */
const DAILY_SEED = 1;

export const SEED =
  CULVERT_SEED !== undefined
    ? Number.parseInt(CULVERT_SEED, 10) >>> 0
    : CULVERT_FUZZ_ROUNDS === undefined
      ? DAILY_SEED
      : Math.floor(Math.random() * 2 ** 32);

/** Scales every target's own number of rounds. */
const DAILY_ROUNDS = 2_000;
const ROUNDS = CULVERT_FUZZ_ROUNDS === undefined ? DAILY_ROUNDS : Number.parseInt(CULVERT_FUZZ_ROUNDS, 10);

export function roundsOf(share = 1): number {
  return Math.max(1, Math.ceil(ROUNDS * share));
}

/** Time that a test may take: short by default, as long as it wants when asked for more. */
export const FUZZ_TIMEOUT_MS = CULVERT_FUZZ_ROUNDS === undefined ? 30_000 : 24 * 60 * 60_000;

/** The chance of one target: its own stream, so that targets do not shift one another. */
export function chanceOf(target: string): Chance {
  return seededChance(SEED).fork(target);
}

/** Runs `round` and names what broke it. */
export function fuzz(target: string, rounds: number, round: (chance: Chance, index: number) => void): void {
  const chance = chanceOf(target);
  for (let index = 0; index < rounds; index += 1) {
    try {
      round(chance, index);
    } catch (error) {
      throw new Error(`${target}, round ${index}: ${repeatWith(rounds)}`, { cause: error });
    }
  }
}

export function repeatWith(rounds: number): string {
  return `repeat with CULVERT_SEED=${SEED} CULVERT_FUZZ_ROUNDS=${Math.max(ROUNDS, rounds)}`;
}
