/** Why a session ends, in the words the services share. */
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
