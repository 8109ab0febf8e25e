/** A command could not do what it was asked for: what is wrong, where, and what to do. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  /** The option, argument or thing that is wrong. */
  readonly field: string;
  readonly value: string | undefined;
  readonly remedy: string;

  constructor(given: {
    readonly field: string;
    readonly value?: string | undefined;
    readonly problem: string;
    readonly remedy: string;
  }) {
    const value = given.value === undefined ? '' : ` (${given.value})`;
    super(`${given.field} ${given.problem}${value}; ${given.remedy}`);
    this.field = given.field;
    this.value = given.value;
    this.remedy = given.remedy;
  }
}
