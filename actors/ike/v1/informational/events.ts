import type { Stamped } from '@culvert/kernel';

/** RFC 3706 as both sides of it. */
export type InformationalHappening =
  | { readonly type: 'R-U-THERE'; readonly sequence: number }
  | { readonly type: 'R-U-THERE-ACK'; readonly sequence: number }
  /** How long ago the session last received anything through ESP; undefined when nobody knows. */
  | { readonly type: 'ACTIVITY'; readonly idleMs?: number | undefined }
  /** Ask now: another ISAKMP SA claims the same identity and address (charter 6). */
  | { readonly type: 'PROBE' }
  | { readonly type: 'STOP' }
  | { readonly type: 'IDLE' }
  | { readonly type: 'RETRY' };

export type InformationalEvent = InformationalHappening & Stamped;
