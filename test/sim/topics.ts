/** NATS subject matching, for subjects and for bucket keys: `*` is one token, a final `>` the rest. */
export function matches(filter: string, subject: string): boolean {
  const wanted = filter.split('.');
  const tokens = subject.split('.');
  for (const [index, want] of wanted.entries()) {
    if (want === '>') return tokens.length > index;
    if (tokens[index] === undefined || (want !== '*' && want !== tokens[index])) return false;
  }
  return wanted.length === tokens.length;
}
