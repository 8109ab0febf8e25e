import type { ActorId, Delivery, Happening } from '@culvert/kernel';

/** An event for a sibling machine; `E` is the sibling's own union. */
export function tell<E extends Happening>(to: ActorId, event: E): Delivery {
  return { type: 'tell', to, event };
}
