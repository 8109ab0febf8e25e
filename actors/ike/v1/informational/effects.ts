import type { Delivery } from '@culvert/kernel';

/** Asks the edge; answered by ACTIVITY. */
export interface AskActivity {
  readonly type: 'activity.ask';
  readonly isakmpSa: string;
}

export type InformationalEffect = AskActivity | Delivery;
