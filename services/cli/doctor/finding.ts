/** What one check saw. `bad`: the gateway cannot run; `doubtful`: it runs, but a person should look. */
export interface Finding {
  readonly name: string;
  readonly verdict: 'good' | 'doubtful' | 'bad';
  readonly found: string;
  readonly remedy?: string;
}

export type Check = () => Finding[] | Promise<Finding[]>;

export function good(name: string, found: string): Finding {
  return { name, verdict: 'good', found };
}

export function bad(name: string, found: string, remedy: string): Finding {
  return { name, verdict: 'bad', found, remedy };
}

export function doubtful(name: string, found: string, remedy: string): Finding {
  return { name, verdict: 'doubtful', found, remedy };
}
