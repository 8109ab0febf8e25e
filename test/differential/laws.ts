/** What must hold even where both engines agree: they may be wrong together. */
import { u32 } from '@culvert/wire';
import type { Outcome, Watcher } from './compare.ts';
import { type Step, shown } from './step.ts';

/** Nothing of these comes out anywhere. */
const NEVER_THROUGH: ReadonlySet<string> = new Set([
  'forged-high',
  'bad-icv',
  'dummy',
  'wrong-encapsulation',
  'unknown-spi',
]);

export interface Laws extends Watcher {
  readonly broken: readonly string[];
}

export function createLaws(): Laws {
  const broken: string[] = [];
  /** Sequence numbers that a packet left with, by outbound SPI; within a history an SPI has one key. */
  let used = new Map<number, Set<number>>();

  const numbered = (octets: Uint8Array) => {
    const [spi, sequence] = [u32(octets, 0), u32(octets, 4)];
    const numbers = used.get(spi) ?? new Set();
    // INV-3: the low half is all of the number that is in an IV.
    if (numbers.has(sequence)) broken.push(`number ${sequence} of SA ${spi.toString(16)} twice`);
    used.set(spi, numbers.add(sequence));
  };

  const through = (step: Step, outcome: Outcome) => {
    if (step.kind !== 'outer' || !NEVER_THROUGH.has(step.label)) return;
    const passed = outcome.outputs.find(([kind]) => kind !== 'event');
    if (passed !== undefined) broken.push(`${step.label} came through: ${shown(passed)}`);
  };

  return {
    broken,
    step(step, outcome) {
      for (const [kind, , , octets] of outcome.outputs) {
        if (kind === 'outer' && octets instanceof Uint8Array) numbered(octets);
      }
      through(step, outcome);
    },
    end() {
      used = new Map();
    },
  };
}
