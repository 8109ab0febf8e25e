import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { secretRandom } from '@culvert/crypto';
import { parse as parseYaml, stringify as toYaml, YAMLParseError } from 'yaml';
import type { z } from 'zod';
import { type UsersDocument, usersDocument } from './entry.ts';

const FILE_OCTETS_MAX = 64 * 1024 * 1024;
const FAULTS_SHOWN = 20;
/** No longer than the longest name of a field: what is, or holds anything but letters, is not shown. */
const PLAIN_WORD = /^[A-Za-z]{1,24}$/;

/** What is wrong with a users file: where, what stands there (never a secret), what to do. */
export interface UsersFault {
  readonly field: string;
  readonly problem: string;
  readonly remedy: string;
}

export type UsersRead =
  | { readonly ok: true; readonly document: UsersDocument }
  | { readonly ok: false; readonly faults: readonly UsersFault[] };

const EMPTY: UsersDocument = { version: 1, users: [] };

/**
 * A file that is not there is a file without users. Read in one go: it happens at start and after a change,
 * and parsing takes longer than the disk.
 */
export function readUsersFile(path: string): UsersRead {
  const text = readPrivate(path);
  if (typeof text === 'string') return parseUsers(text);
  return text === undefined ? { ok: true, document: EMPTY } : { ok: false, faults: [text] };
}

export function parseUsers(text: string): UsersRead {
  // A writer that does not replace the file whole leaves it empty for a moment.
  if (text.trim() === '') return refuse('(file)', 'is empty', 'restore it from a backup, or remove it');
  let given: unknown;
  try {
    // Aliases are not needed in a list of users and can blow a small file up.
    given = parseYaml(text, { maxAliasCount: 0 });
  } catch (error) {
    const place = error instanceof YAMLParseError ? error.linePos?.[0].line : undefined;
    const problem = place === undefined ? 'is not YAML' : `is not YAML from line ${place} on`;
    return refuse('(file)', problem, 'restore it from a backup, or remove it and add the users again');
  }
  const checked = usersDocument.safeParse(given);
  if (!checked.success) {
    return {
      ok: false,
      faults: checked.error.issues.slice(0, FAULTS_SHOWN).map(faultOf),
    };
  }
  return duplicates(checked.data);
}

function faultOf(issue: z.core.$ZodIssue): UsersFault {
  const field = fieldOf(issue.path);
  const remedy = 'see: culvert user add --help';
  if (issue.code === 'custom' || issue.code === 'invalid_format') {
    // The schema's own words: `what is wrong; what to do`, or what to do alone.
    const [problem, ...rest] = issue.message.split('; ');
    return rest.length === 0
      ? { field, problem: 'is not valid', remedy: issue.message }
      : { field, problem: problem ?? '', remedy: rest.join('; ') };
  }
  if (issue.code !== 'unrecognized_keys') return { field, problem: issue.message, remedy };
  // A key that is no plain word may be a line that lost its colon, and with it a secret.
  const keys = issue.keys.map((key) => (PLAIN_WORD.test(key) ? `"${key}"` : 'a key that is no word'));
  return { field, problem: `has unknown keys: ${keys.join(', ')}`, remedy };
}

function duplicates(document: UsersDocument): UsersRead {
  const [names, addresses] = [new Set<string>(), new Set<string>()];
  const faults: UsersFault[] = [];
  for (const [index, user] of document.users.entries()) {
    if (names.has(user.name)) {
      faults.push({
        field: `users[${index}].name`,
        problem: 'appears twice',
        remedy: 'remove one of the two',
      });
    }
    if (user.ipv4 !== undefined && addresses.has(user.ipv4)) {
      faults.push({
        field: `users[${index}].ipv4`,
        problem: `${user.ipv4} is given to two users`,
        remedy: 'give each user an address of its own',
      });
    }
    names.add(user.name);
    if (user.ipv4 !== undefined) addresses.add(user.ipv4);
  }
  return faults.length > 0 ? { ok: false, faults: faults.slice(0, FAULTS_SHOWN) } : { ok: true, document };
}

/** Mode 0600, and never half a file: written beside, synced, renamed over. */
export async function writeUsersFile(path: string, document: UsersDocument): Promise<void> {
  const draft = `${path}.${Buffer.from(secretRandom(8)).toString('hex')}`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.chmod(0o600);
      await file.writeFile(toYaml(document, { lineWidth: 0 }));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  }
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
}

/** The text, undefined when there is no file, or why it is not read. */
function readPrivate(path: string): string | undefined | UsersFault {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (code === 'ENOENT') return undefined;
    return { field: '(file)', problem: `cannot be opened (${code})`, remedy: `check the owner of ${path}` };
  }
  try {
    const about = fstatSync(file);
    if (!about.isFile())
      return { field: '(file)', problem: 'is not a regular file', remedy: `remove ${path}` };
    if ((about.mode & 0o077) !== 0) {
      const mode = (about.mode & 0o777).toString(8).padStart(4, '0');
      const problem = `has mode ${mode}, so others can read it`;
      return { field: '(file)', problem, remedy: `chmod 600 ${path}` };
    }
    if (about.size > FILE_OCTETS_MAX)
      return { field: '(file)', problem: 'is larger than 64 MiB', remedy: 'keep fewer users per gateway' };
    return readFileSync(file, 'utf8');
  } catch {
    return { field: '(file)', problem: 'cannot be read', remedy: `check the disk that holds ${path}` };
  } finally {
    closeSync(file);
  }
}

function refuse(field: string, problem: string, remedy: string): UsersRead {
  return { ok: false, faults: [{ field, problem, remedy }] };
}

function fieldOf(path: readonly PropertyKey[]): string {
  return (
    path.reduce<string>((text, part) => {
      if (typeof part === 'number') return `${text}[${part}]`;
      return text === '' ? String(part) : `${text}.${String(part)}`;
    }, '') || '(file)'
  );
}
