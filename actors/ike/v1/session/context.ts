import type { EndReason } from './reasons.ts';

export interface SessionContext {
  /** Actor ids, the newest last. */
  readonly isakmpSas: readonly string[];
  readonly ipsecSas: readonly { readonly id: string; readonly spi: number }[];
  readonly reason: EndReason;
}

export function newContext(): SessionContext {
  return { isakmpSas: [], ipsecSas: [], reason: 'session-ended' };
}
