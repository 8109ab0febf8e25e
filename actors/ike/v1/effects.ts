import type { Delivery } from '@culvert/kernel';
import type { InformationalEffect } from './informational/effects.ts';
import type { IsakmpSaEffect } from './isakmp-sa/effects.ts';
import type { QuickModeEffect } from './quick-mode/effects.ts';
import type { SessionEffect } from './session/effects.ts';

/** Everything the machines of an IKEv1 session may ask for; `tell` and `beget` never leave the kernel. */
export type IkeEffect = Exclude<
  IsakmpSaEffect | QuickModeEffect | InformationalEffect | SessionEffect,
  Delivery
>;
