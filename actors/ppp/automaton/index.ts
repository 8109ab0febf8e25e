export type { AutomatonContext, AutomatonInput } from './actions.ts';
export type { AutomatonEvent, Layer, LayerEvent } from './events.ts';
export { AUTOMATON_LIMITS, type AutomatonLimits } from './limits.ts';
export { automaton } from './machine.ts';
