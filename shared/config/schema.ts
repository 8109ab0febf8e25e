/** Replaced by the zod schema's inferred type. */
export interface Config {
  readonly node: string;
}
