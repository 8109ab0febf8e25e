/** The simulator's chance with what the generators throw most, and octets that cost little. */
import { type Chance, seededChance } from '../sim/chance.ts';

export interface Dice extends Chance {
  pick<T>(choices: readonly T[]): T;
  /** One of the rows, as often as its weight says. */
  weighted<T>(rows: readonly Weighted<T>[]): T;
  /** A whole number in [from, to]. */
  between(from: number, to: number): number;
  /** Octets out of a pool: as good as random ones to an engine. */
  filler(length: number): Uint8Array;
}

export type Weighted<T> = readonly [weight: number, value: T];

const POOL_OCTETS = 1 << 17;
const pool = seededChance(1).octets(POOL_OCTETS);

export function diceOf(seed: number): Dice {
  const chance = seededChance(seed);
  const totals = new Map<readonly Weighted<unknown>[], number>();
  const dice: Dice = {
    ...chance,
    pick<T>(choices: readonly T[]): T {
      if (choices.length === 0) throw new Error('nothing to choose from');
      return choices[chance.below(choices.length)] as T;
    },
    weighted<T>(rows: readonly Weighted<T>[]): T {
      let total = totals.get(rows);
      if (total === undefined) {
        total = rows.reduce((sum, [weight]) => sum + weight, 0);
        totals.set(rows, total);
      }
      let rest = chance.next() * total;
      for (const [weight, value] of rows) {
        rest -= weight;
        if (rest < 0) return value;
      }
      return dice.pick(rows)[1];
    },
    between: (from, to) => from + chance.below(to - from + 1),
    filler(length) {
      const from = chance.below(POOL_OCTETS - length);
      return pool.slice(from, from + length);
    },
  };
  return dice;
}
