export type { AuthMethod, Proof } from './auth/proof.ts';
export {
  AUTOMATON_LIMITS,
  type AutomatonContext,
  type AutomatonEvent,
  type AutomatonInput,
  type AutomatonLimits,
  automaton,
  type Layer,
  type LayerEvent,
} from './automaton/index.ts';
export type { Note, PppEffect } from './effects.ts';
export type { EndReason } from './link/reasons.ts';
