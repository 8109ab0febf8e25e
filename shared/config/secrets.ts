import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Secret } from '@culvert/crypto';
import type { SourceText } from './document.ts';
import { type Fault, fieldOf, type Path } from './faults.ts';
import { fault, valueAt } from './issues.ts';

export interface ReadSecrets {
  /** By field path, `psks[0].secret`. */
  readonly secrets: ReadonlyMap<string, Secret>;
  readonly faults: readonly Fault[];
}

const SECRET_OCTETS_MAX = 4_096;

/** Where secrets stand: `<place>.<name>` inline or `<place>.<name>File`. */
export interface SecretPlace {
  readonly path: Path;
  readonly name: string;
  readonly required: boolean;
}

export function secretPlaces(data: unknown): SecretPlace[] {
  const each = (section: string, name: string) => {
    const list = valueAt(data, [section]);
    return Array.isArray(list)
      ? list.map((_, index) => ({ path: [section, index], name, required: true }))
      : [];
  };
  return [
    ...each('psks', 'secret'),
    ...each('users', 'password'),
    { path: ['l2tp'], name: 'tunnelSecret', required: false },
    { path: ['nats'], name: 'password', required: false },
  ];
}

/** The texts of all inline secrets, so that no fault shows one that was pasted elsewhere as well. */
export function inlineSecrets(data: unknown): string[] {
  return secretPlaces(data)
    .map(({ path, name }) => valueAt(data, [...path, name]))
    .filter((value) => typeof value === 'string' || typeof value === 'number')
    .map(String)
    .filter((text) => text !== '');
}

/** As they are written. */
export function secretFiles(data: unknown): string[] {
  return secretPlaces(data)
    .map(({ path, name }) => valueAt(data, [...path, `${name}File`]))
    .filter((value) => typeof value === 'string');
}

export function readSecrets(source: SourceText, baseDir: string): ReadSecrets {
  const secrets = new Map<string, Secret>();
  const faults: Fault[] = [];
  for (const place of secretPlaces(source.data)) {
    const section = valueAt(source.data, place.path);
    if (typeof section !== 'object' || section === null) continue;
    const found = readSecret(source, place, baseDir);
    if (found instanceof Secret) secrets.set(fieldOf([...place.path, place.name]), found);
    else if (found !== undefined) faults.push(found);
  }
  return { secrets, faults };
}

/** Undefined: absent where it may be, or of a type that the schema has already refused. */
function readSecret(
  source: SourceText,
  { path, name, required }: SecretPlace,
  baseDir: string,
): Secret | Fault | undefined {
  const inline = valueAt(source.data, [...path, name]);
  const file = valueAt(source.data, [...path, `${name}File`]);
  const wrong = (field: string, problem: string, remedy: string) =>
    fault([...path, field], undefined, { problem, remedy }, source, []);
  if (inline !== undefined && file !== undefined) {
    return wrong(name, `is given twice, also as ${name}File`, 'keep one of the two');
  }
  if (typeof file === 'string') {
    const octets = readSecretFile(resolve(baseDir, file));
    return typeof octets === 'string'
      ? wrong(`${name}File`, octets, `write the path of a readable file, absolute or relative to ${baseDir}`)
      : new Secret(octets);
  }
  if (typeof inline === 'string' && inline !== '') return Secret.fromText(inline);
  if (inline === '') return wrong(name, 'is empty', `write the secret, or ${name}File with its path`);
  if (inline !== undefined || file !== undefined || !required) return undefined;
  return wrong(name, 'is missing', `write ${name}File: <path>, or ${name}: <text in quotes>`);
}

/** The octets, or what is wrong with the file. One line end at the end belongs to the editor, not to the key. */
function readSecretFile(path: string): Uint8Array | string {
  try {
    const octets = readFileSync(path);
    const lineEnd = octets.at(-1) !== 0x0a ? 0 : octets.at(-2) === 0x0d ? 2 : 1;
    if (octets.length > SECRET_OCTETS_MAX) return `names a file of more than ${SECRET_OCTETS_MAX} octets`;
    if (octets.length === lineEnd) return 'names an empty file';
    return octets.subarray(0, octets.length - lineEnd);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return `names a file that cannot be read: ${code}`;
  }
}
