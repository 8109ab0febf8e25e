/**
 * The text with comments, and the insides of strings and regular expressions, turned into spaces: what is
 * left is code, at the same offsets and lines.
 */
export function blank(text: string): string {
  const out = text.split('');
  const erase = (from: number, to: number) => {
    for (let at = from; at < Math.min(to, out.length); at += 1) if (out[at] !== '\n') out[at] = ' ';
  };
  scan(text, 0, erase, false);
  return out.join('');
}

type Erase = (from: number, to: number) => void;

/** Scans code from `at`; inside `${}` it ends at the closing brace. Answers where it ended. */
function scan(text: string, start: number, erase: Erase, inTemplate: boolean): number {
  let at = start;
  let depth = 0;
  while (at < text.length) {
    const two = text.slice(at, at + 2);
    const one = text[at] ?? '';
    if (two === '//' || two === '/*') {
      const end = commentEnd(text, at, two);
      erase(at, end);
      at = end;
    } else if (one === "'" || one === '"') {
      at = quoted(text, at, one, erase);
    } else if (one === '`') {
      at = template(text, at, erase);
    } else if (one === '/' && regexMayStart(text, at)) {
      at = regex(text, at, erase);
    } else if (inTemplate && one === '}' && depth === 0) {
      return at;
    } else {
      depth += one === '{' ? 1 : one === '}' ? -1 : 0;
      at += 1;
    }
  }
  return at;
}

function commentEnd(text: string, at: number, opening: string): number {
  const end = opening === '//' ? text.indexOf('\n', at) : text.indexOf('*/', at + 2) + 2;
  return end <= 1 ? text.length : end;
}

function quoted(text: string, at: number, quote: string, erase: Erase): number {
  let end = at + 1;
  while (end < text.length && text[end] !== quote && text[end] !== '\n') end += text[end] === '\\' ? 2 : 1;
  erase(at + 1, end);
  return end + 1;
}

function template(text: string, start: number, erase: Erase): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '`') {
    if (text.startsWith('${', at)) {
      at = scan(text, at + 2, erase, true) + 1;
    } else {
      const next = at + (text[at] === '\\' ? 2 : 1);
      erase(at, next);
      at = next;
    }
  }
  return at + 1;
}

function regex(text: string, start: number, erase: Erase): number {
  let at = start + 1;
  let inClass = false;
  while (at < text.length && text[at] !== '\n' && (inClass || text[at] !== '/')) {
    if (text[at] === '[') inClass = true;
    if (text[at] === ']') inClass = false;
    at += text[at] === '\\' ? 2 : 1;
  }
  erase(start + 1, at);
  return at + 1;
}

/** After an operator, an opening bracket or a keyword a slash begins a regular expression. */
function regexMayStart(text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - 40), at).trimEnd();
  return (
    before === '' ||
    /[([{,;=:!&|?+\-*%~^<>]$/.test(before) ||
    /\b(return|typeof|case|of|in|yield|await)$/.test(before)
  );
}
