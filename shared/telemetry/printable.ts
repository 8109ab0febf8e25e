/**
 * What may be printed of a value: decided by its type, so that nobody has to remember a list of fields.
 * Octets may be keys or packets and print as their number; an instance of a class that is not known here
 * may wrap a secret and prints as `[secret]`.
 */
export type Printable = string | number | boolean | null | Printable[] | { [name: string]: Printable };

const TEXT_MAX = 256;
const STACK_MAX = 2048;
const ITEMS_MAX = 32;
const DEPTH_MAX = 5;

export function printable(value: unknown, depth = 0): Printable {
  switch (typeof value) {
    case 'string':
      return printableText(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
      return value;
    case 'bigint':
      return printableText(value.toString());
    case 'object':
      return value === null ? null : printableObject(value, depth);
    default:
      return `[${typeof value}]`;
  }
}

export function printableFields(fields: object): Record<string, Printable> {
  const out: Record<string, Printable> = {};
  for (const [name, value] of Object.entries(fields).slice(0, ITEMS_MAX)) {
    if (value !== undefined) out[printableText(name)] = printable(value, 1);
  }
  return out;
}

/**
 * Peers choose user names, host names and vendor IDs: a line must neither grow with them nor carry
 * control characters to a terminal. Escaped are C0, C1, the Unicode line separators, bidirectional
 * controls and lone surrogates.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu;

export function printableText(text: string, max = TEXT_MAX): string {
  const cut = text.length > max ? `${text.slice(0, max)}…` : text;
  return cut.replace(UNSAFE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

function printableObject(value: object, depth: number): Printable {
  if (ArrayBuffer.isView(value)) return `octets(${value.byteLength})`;
  if (value instanceof ArrayBuffer) return `octets(${value.byteLength})`;
  if (value instanceof Error) return printableError(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (depth >= DEPTH_MAX) return '[deeper]';
  if (Array.isArray(value)) {
    const shown = value.slice(0, ITEMS_MAX).map((item) => printable(item, depth + 1));
    return value.length > ITEMS_MAX ? [...shown, `and ${value.length - ITEMS_MAX} more`] : shown;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return '[secret]';
  const out: Record<string, Printable> = {};
  for (const [name, item] of Object.entries(value).slice(0, ITEMS_MAX)) {
    if (item !== undefined) out[printableText(name)] = printable(item, depth + 1);
  }
  return out;
}

function printableError(error: Error, depth: number): Printable {
  const code: unknown = 'code' in error ? error.code : undefined;
  return {
    name: printableText(error.name),
    message: printableText(error.message),
    ...(typeof code === 'string' || typeof code === 'number' ? { code: printable(code) } : {}),
    // Where, not what: the first line of a stack repeats the message, which is capped above.
    stack: printableText(
      (error.stack ?? '')
        .split('\n')
        .slice(1)
        .map((line) => line.trim())
        .join(' '),
      STACK_MAX,
    ),
    ...(error.cause === undefined || depth >= DEPTH_MAX ? {} : { cause: printable(error.cause, depth + 1) }),
  };
}
