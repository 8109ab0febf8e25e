/**
 * The closed list of reasons for which a decoder refuses octets. A reason is a metric label and a test
 * name: it says what is wrong with the octets, never who sent them.
 */
export type MalformedReason =
  | 'truncated' // fewer octets than a fixed part needs
  | 'bad-length' // a length field lies about its container
  | 'trailing-octets' // octets left over where none may be
  | 'bad-version'
  | 'bad-flags' // flag bits that contradict each other or the message
  | 'bad-value' // a field outside its specified range
  | 'bad-checksum'
  | 'bad-padding'
  | 'too-many' // a count beyond our stated limit
  | 'duplicate' // something that may appear once appeared twice
  | 'missing' // something mandatory is absent
  | 'unexpected'; // something that must not appear here

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: MalformedReason; readonly offset: number };

export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

/** `offset` is where in the datagram reading stopped, in octets. */
export function malformed(reason: MalformedReason, offset: number): Parsed<never> {
  return { ok: false, reason, offset };
}
