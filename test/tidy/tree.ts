import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { blank } from './blank.ts';

export interface Import {
  readonly specifier: string;
  /** `import type` or `export type`: gone at run time. */
  readonly typeOnly: boolean;
  /** Names between the braces; a namespace import or a bare one has none. */
  readonly names: readonly string[];
  readonly line: number;
  /** Path in the tree that a relative specifier names. */
  readonly target?: string;
}

export interface SourceFile {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  /** `text` without comments and without what is in strings. */
  readonly code: string;
  readonly imports: readonly Import[];
  readonly isTest: boolean;
}

/** The repository as the rules see it; tests plant small ones. */
export interface Tree {
  /** Every TypeScript file. */
  readonly sources: readonly SourceFile[];
  /** Every other text file, by path. */
  readonly texts: ReadonlyMap<string, string>;
}

export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly problem: string;
}

export interface Rule {
  readonly name: string;
  check(tree: Tree): readonly Violation[];
}

const TOP = ['services', 'actors', 'shared', 'deploy', 'test', '.ci'];
const SKIPPED = /(^|\/)(node_modules|dist|build|coverage|\.cache)(\/|$)/;
const TEXT = /(\.(md|json|ya?ml|sh|txt|cc|h|toml|conf|service)|\/[A-Za-z.-]+)$/;
const VECTORS = /^test\/vectors\//;

export function readTree(root: string): Tree {
  const inFolders = TOP.flatMap((top) =>
    globSync(`${top}/**/*`, { cwd: root, exclude: (name) => SKIPPED.test(name) }),
  );
  const atRoot = globSync('*', { cwd: root }).filter((name) => /\.(ts|json|md)$/.test(name));
  const files = [...inFolders, ...atRoot].filter((path) => !SKIPPED.test(path) && !VECTORS.test(path));
  const wanted = files.filter((path) => path.endsWith('.ts') || TEXT.test(`/${path}`));
  return plant(Object.fromEntries(wanted.flatMap((path) => textOf(root, path))));
}

/** Folders and binaries answer nothing. */
function textOf(root: string, path: string): [string, string][] {
  try {
    const octets = readFileSync(join(root, path));
    return octets.includes(0) ? [] : [[path, octets.toString('utf8')]];
  } catch {
    return [];
  }
}

export function plant(files: Readonly<Record<string, string>>): Tree {
  const entries = Object.entries(files).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    sources: entries.filter(([path]) => path.endsWith('.ts')).map(([path, text]) => sourceFile(path, text)),
    texts: new Map(entries.filter(([path]) => !path.endsWith('.ts'))),
  };
}

function sourceFile(path: string, text: string): SourceFile {
  const code = blank(text);
  return { path, text, code, imports: importsOf(path, text, code), isTest: isTestPath(path) };
}

/** Test code: `*.test.ts` and what they share, `*.fixture.ts`, anywhere; and all of test/. */
export function isTestPath(path: string): boolean {
  return /\.(test|fixture)\.ts$/.test(path) || path.startsWith('test/');
}

const STATEMENT = /\b(import|export)\b(\s+type\b)?([^;'"()=]*?)(?:\bfrom\s*)?(['"])|\bimport\s*\(\s*(['"])/g;

function importsOf(path: string, text: string, code: string): Import[] {
  const found: Import[] = [];
  for (const match of code.matchAll(STATEMENT)) {
    const [whole, word, type, clause = '', quote, dynamicQuote] = match;
    if (word === 'export' && !/\bfrom\s*$/.test(whole.slice(0, -1))) continue;
    const from = match.index + whole.length;
    const specifier = text.slice(from, text.indexOf(quote ?? dynamicQuote ?? "'", from));
    const names = /\{([^}]*)\}/.exec(clause)?.[1]?.split(',') ?? [];
    found.push({
      specifier,
      typeOnly: type !== undefined,
      names: names.map((name) => name.trim()).filter((name) => name !== ''),
      line: lineAt(text, match.index),
      ...(specifier.startsWith('.') ? { target: join(dirname(path), specifier) } : {}),
    });
  }
  return found;
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** `shared/config` of `shared/config/checks/psks.ts`; undefined outside of packages. */
export function packageOf(path: string): string | undefined {
  return /^(services|actors|shared)\/[^/]+(?=\/)/.exec(path)?.[0];
}

/** Every place where `pattern` (with the flag g) is found in the code of a file. */
export function matches(file: SourceFile, pattern: RegExp, problem: (found: string) => string): Violation[] {
  return [...file.code.matchAll(pattern)].map((match) => ({
    path: file.path,
    line: lineAt(file.code, match.index),
    problem: problem(match[0]),
  }));
}
