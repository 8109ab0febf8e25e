/** A fault of ours. The host stops the session in which it is thrown; a peer can never cause one. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

export function invariant(holds: boolean, what: string): asserts holds {
  if (!holds) throw new InvariantViolation(what);
}
