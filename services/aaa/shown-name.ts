const SHOWN_MAX = 64;
/** Letters and digits of any script, and what stands in names of users, domains and addresses. */
const PLAIN = /[\p{L}\p{N}@._\\:+-]/u;

/**
 * A name that a peer chose, fit for a log line: whatever means something to a shell, a terminal or a log
 * reader is written as its code point.
 */
export function shownName(name: string): string {
  const characters = [...name];
  const shown = characters
    .slice(0, SHOWN_MAX)
    .map((character) =>
      PLAIN.test(character) ? character : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
    )
    .join('');
  return characters.length > SHOWN_MAX ? `${shown}…` : shown;
}
