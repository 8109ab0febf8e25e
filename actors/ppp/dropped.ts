/** A packet that is silently discarded; the reason is a metric label. */
export interface Dropped {
  readonly drop: DropReason;
}

export type DropReason =
  | 'malformed'
  | 'no-link'
  | 'layer-down'
  | 'wrong-phase'
  | 'ipv6-housekeeping'
  | 'stale-identifier'
  | 'ack-differs'
  | 'reject-differs'
  | 'looped'
  | 'method-not-agreed'
  | 'unexpected-challenge'
  | 'unexpected-verdict'
  | 'duplicate-call'
  | 'too-many-links'
  | 'late-answer';

export function dropped(reason: DropReason): Dropped {
  return { drop: reason };
}

export function isDropped<T extends object>(value: T | Dropped): value is Dropped {
  return 'drop' in value;
}
