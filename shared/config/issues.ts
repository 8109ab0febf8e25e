import type { z } from 'zod';
import type { SourceText } from './document.ts';
import { type Fault, fieldOf, type Path, shown } from './faults.ts';
import { nearest } from './nearest.ts';

type Issue = z.core.$ZodIssue;

/** What the schema found, in our words: the library's messages quote values. */
export function faultsOfIssues(
  issues: readonly Issue[],
  source: SourceText,
  secrets: readonly string[],
  keysAt: (path: Path) => readonly string[],
): Fault[] {
  const placeOf = (issue: Issue) => issue.path.map(String).join('.');
  const misfits = new Set(issues.filter(({ code }) => code === 'invalid_type').map(placeOf));
  // A text in the place of a list is not also a list that is too long.
  const telling = issues.filter((issue) => issue.code === 'invalid_type' || !misfits.has(placeOf(issue)));
  return telling.flatMap((issue) => {
    const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => unknownKey(path, key, source, keysAt(path)));
    }
    const value = valueAt(source.data, path);
    // Text in the place of a section may be a key that lost its name.
    const section =
      issue.code === 'invalid_type' && (issue.expected === 'object' || issue.expected === 'array');
    return [fault(path, section ? undefined : value, wording(issue, value), source, secrets)];
  });
}

interface Wording {
  readonly problem: string;
  readonly remedy: string;
}

export function fault(
  path: Path,
  value: unknown,
  wording: Wording,
  source: SourceText,
  secrets: readonly string[],
): Fault {
  const text = shown(path, value, secrets);
  const line = source.lineOf(path);
  return {
    field: fieldOf(path),
    ...wording,
    ...(text === undefined ? {} : { value: text }),
    ...(line === undefined ? {} : { line }),
  };
}

function wording(issue: Issue, value: unknown): Wording {
  switch (issue.code) {
    case 'invalid_type':
      if (value === undefined)
        return { problem: 'is missing', remedy: `write ${KINDS[issue.expected] ?? issue.expected}` };
      if (issue.expected === 'string' && typeof value !== 'object') {
        return { problem: 'must be text', remedy: 'put the value in quotes' };
      }
      if (issue.expected === 'int')
        return { problem: 'must be a whole number', remedy: 'leave out the fraction' };
      return {
        problem: `must be ${KINDS[issue.expected] ?? issue.expected}`,
        remedy: 'see `culvert config schema`',
      };
    case 'too_small':
      return { problem: 'is too small', remedy: `the least is ${issue.minimum}${unit(issue.origin)}` };
    case 'too_big':
      return { problem: 'is too large', remedy: `the most is ${issue.maximum}${unit(issue.origin)}` };
    case 'invalid_value':
      return { problem: 'is not one of the choices', remedy: `write ${issue.values.map(String).join(', ')}` };
    case 'custom':
      return {
        problem: issue.message,
        remedy: String(issue.params?.remedy ?? 'see `culvert config schema`'),
      };
    default:
      return { problem: 'is not valid', remedy: 'see `culvert config schema`' };
  }
}

const KINDS: Readonly<Record<string, string>> = {
  object: 'a section (`key: value` lines)',
  array: 'a list (`- item` lines, or [a, b])',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

function unit(origin: string): string {
  return origin === 'string' ? ' characters' : origin === 'array' ? ' items' : '';
}

function unknownKey(path: Path, key: string, source: SourceText, known: readonly string[]): Fault {
  if (path.length === 2 && path[0] === 'psks' && PER_IDENTITY.test(key)) {
    const line = source.lineOfKey(path, key);
    return {
      field: fieldOf([...path, key]),
      problem:
        'asks for a PSK per identity, which Main Mode cannot know: the ID comes encrypted under the key',
      remedy: 'choose by listeners and remotes, and tell people apart by their user names',
      ...(line === undefined ? {} : { line }),
    };
  }
  return mistypedKey(path, key, source, known);
}

/** RFC 2409 §5.4: with pre-shared keys the key enters SKEYID, under which message 5 with the ID is encrypted. */
const PER_IDENTITY = /^(id|ids|identity|identities|user|users|peer|peers|peerid|username)$/i;

/**
 * A mistyped key is named when a known one is close to it. Otherwise it may be a misplaced value, so in the
 * sections that hold secrets only the line is told.
 */
function mistypedKey(path: Path, key: string, source: SourceText, known: readonly string[]): Fault {
  const meant = nearest(key, known);
  const secretive = path.some(
    (step) => step === 'psks' || step === 'users' || step === 'l2tp' || step === 'nats',
  );
  const named = meant !== undefined || (!secretive && /^[A-Za-z][A-Za-z0-9_-]{0,31}$/.test(key));
  const line = source.lineOfKey(path, key);
  return {
    field: fieldOf(named ? [...path, key] : path),
    problem: named ? 'is not a known key' : 'has an unknown key',
    remedy: meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`,
    ...(line === undefined ? {} : { line }),
  };
}

export function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, step)
        ? (value as Record<string | number, unknown>)[step]
        : undefined,
    data,
  );
}
