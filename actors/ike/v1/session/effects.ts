import type { Delivery } from '@culvert/kernel';
import type { Report } from '../report.ts';
import type { EndReason } from './reasons.ts';

/** To l2tp: close in order, or know that nothing can be sent any more. Answered by TOLD. */
export interface TellL2tp {
  readonly type: 'l2tp.request';
  readonly request: 'close' | 'session.ended';
  readonly reason: EndReason;
}

export type SessionEffect = TellL2tp | Report | Delivery;
