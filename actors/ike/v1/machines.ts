import type { Actors } from '@culvert/kernel';
import { informational } from './informational/machine.ts';
import { isakmpSa } from './isakmp-sa/machine.ts';
import { quickMode } from './quick-mode/machine.ts';
import { session } from './session/machine.ts';

/** By the kind in an actor id. */
export const ikeActors: Actors = {
  'isakmp-sa': isakmpSa,
  'quick-mode': quickMode,
  informational,
  session,
};
