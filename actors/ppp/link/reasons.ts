/** Why a link ended; the same words as the contracts between services use. */
export type EndReason =
  | 'peer-closed'
  | 'operator'
  | 'authentication-failed'
  | 'negotiation-failed'
  | 'no-address'
  | 'peer-silent'
  | 'lifetime'
  | 'session-ended'
  | 'protocol-error'
  | 'limit'
  | 'shutdown';
