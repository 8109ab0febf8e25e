import type { Actors } from '@culvert/kernel';
import { advertiser } from './advertiser/machine.ts';
import { auth } from './auth/machine.ts';
import { automaton } from './automaton/machine.ts';
import { echo } from './echo/machine.ts';
import { link } from './link/machine.ts';

export type { AuthContext } from './auth/actions.ts';
export type { UserPolicy, Verdict } from './auth/events.ts';
export type { AuthMethod, Proof } from './auth/proof.ts';
export {
  classifyConfiguration,
  type Negotiating,
  type Negotiation,
  type Revised,
  unknownCode,
} from './automaton/classify.ts';
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
export { type Judged, type Judging, judge, type OptionRules } from './automaton/judge.ts';
export { classify, type PppFact } from './classify.ts';
export { type Dropped, type DropReason, isDropped } from './dropped.ts';
export type { Note, PppEffect } from './effects.ts';
export type { PppBody } from './facts.ts';
export { magicOf, mruOf } from './lcp/negotiation.ts';
export { actorId, type LinkContext } from './link/context.ts';
export type { Failed, Lease } from './link/events.ts';
export { type Forwarding, forwardingOf } from './link/forwarding.ts';
export type { EndReason } from './link/reasons.ts';
export type { PppSettings } from './link/settings.ts';

/** The machines of a PPP session; LCP and both NCPs are the one automaton. */
export const pppActors: Actors = {
  link,
  lcp: automaton,
  auth,
  echo,
  ipcp: automaton,
  ipv6cp: automaton,
  advertiser,
};
