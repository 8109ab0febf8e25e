import {
  type Import,
  isTestPath,
  packageOf,
  type Rule,
  type SourceFile,
  type Tree,
  type Violation,
} from '../tree.ts';
import { manifests } from './manifest.ts';

/**
 * What a package may import: names of packages in this repository (`crypto`), of libraries (`zod`), a
 * prefix (`node:*`). What is not listed is refused. ARCHITECTURE.md draws this table.
 */
const MAY: Readonly<Record<string, readonly string[]>> = {
  'shared/wire': [],
  'shared/kernel': ['xstate'],
  'shared/contracts': ['wire'],
  'shared/crypto': ['wire', 'node:*'],
  'shared/bus': ['contracts', '@nats-io/*', 'msgpackr', 'node:*'],
  // Beyond the intended layout: a secret must be opaque from the moment it is read from a file.
  'shared/config': ['crypto', 'zod', 'yaml', 'ipaddr.js', 'node:*'],
  'shared/telemetry': ['crypto', 'pino', '@opentelemetry/*', 'node:*'],
  'shared/host': ['kernel', 'bus', 'contracts', 'telemetry', 'node:*'],
  // Beyond the intended layout: aaa reads the users file, the command line edits it.
  'shared/users': ['crypto', 'wire', 'ipaddr.js', 'yaml', 'zod', 'node:*'],
  // Beyond the intended layout: what five main.ts files would otherwise repeat.
  'shared/runtime': ['bus', 'config', 'contracts', 'crypto', 'host', 'kernel', 'telemetry', 'wire', 'node:*'],
};

const ACTORS = ['wire', 'kernel', 'xstate'];
const TYPES_ONLY: readonly (readonly [from: string, to: string])[] = [['shared/contracts', 'wire']];

/** Names that may be taken from a package that is otherwise out of reach. */
const NAMES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'shared/config': { crypto: ['Secret', 'type Secret'] },
  'shared/telemetry': { crypto: ['Secret', 'type Secret'] },
};

/** One service may not import another, but the command line's `up` is the launcher. */
const SERVICE_TO_SERVICE = ['services/cli -> service-gateway'];

export const importDirections: Rule = {
  name: 'imports',
  check(tree) {
    const names = new Map([...manifests(tree)].map(([folder, { name }]) => [name, folder]));
    return tree.sources.flatMap((file) => file.imports.flatMap((found) => judge(file, found, names)));
  },
};

function judge(file: SourceFile, found: Import, names: ReadonlyMap<string, string>): Violation[] {
  const wrong = (problem: string) => [{ path: file.path, line: found.line, problem }];
  const from = packageOf(file.path);
  if (found.target !== undefined) {
    const to = packageOf(found.target);
    if (!file.isTest && found.target.startsWith('test/')) return wrong('imports from test/');
    if (!file.isTest && isTestPath(found.target)) return wrong('imports a test');
    return from !== undefined && to !== from && !file.isTest
      ? wrong(`leaves its package: ${found.specifier}`)
      : [];
  }
  if (file.isTest || from === undefined) return [];
  const library = libraryOf(found.specifier);
  if (library.startsWith('@culvert/') && !names.has(library))
    return wrong(`${library} is not a package of this repository`);
  const short = library.replace('@culvert/', '');
  if (!mayImport(from, short, library.startsWith('@culvert/')))
    return wrong(`${from} may not import ${found.specifier}`);
  if (TYPES_ONLY.some(([a, b]) => a === from && b === short) && !found.typeOnly) {
    return wrong(`${from} may import only types of ${found.specifier}`);
  }
  const listed = NAMES[from]?.[short];
  const extra = found.names.filter((name) => listed !== undefined && !listed.includes(name));
  return extra.length > 0 ? wrong(`${from} may not take ${extra.join(', ')} from ${found.specifier}`) : [];
}

function mayImport(from: string, short: string, ours: boolean): boolean {
  if (from.startsWith('services/')) {
    return !short.startsWith('service-') || !ours || SERVICE_TO_SERVICE.includes(`${from} -> ${short}`);
  }
  const allowed = from.startsWith('actors/') ? ACTORS : (MAY[from] ?? []);
  return allowed.some((name) => (name.endsWith('*') ? short.startsWith(name.slice(0, -1)) : short === name));
}

/** `@culvert/wire` of `@culvert/wire/ike`; `node:fs` of `node:fs/promises`. */
function libraryOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** IKEv1 and IKEv2 share octet codecs, never payload numbers or each other's machines. */
export const ikeVersionsApart: Rule = {
  name: 'ike-versions',
  check(tree: Tree) {
    const version = (path: string) => /\bike\/(v1|v2)\//.exec(path)?.[1];
    return tree.sources.flatMap((file) =>
      file.imports
        .filter(({ target }) => {
          const ours = version(file.path);
          const theirs = target === undefined ? undefined : version(target);
          return ours !== undefined && theirs !== undefined && ours !== theirs;
        })
        .map(({ line, specifier }) => ({
          path: file.path,
          line,
          problem: `imports the other IKE version: ${specifier}`,
        })),
    );
  },
};
