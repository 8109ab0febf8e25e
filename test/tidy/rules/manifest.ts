import type { Rule, Tree, Violation } from '../tree.ts';
import { packageOf } from '../tree.ts';

export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly type?: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly nx?: { readonly tags?: readonly string[] };
}

/** The package.json of every package, by folder. */
export function manifests(tree: Tree): ReadonlyMap<string, Manifest> {
  const found = [...tree.texts].filter(([path]) =>
    /^(services|actors|shared)\/[^/]+\/package\.json$/.test(path),
  );
  return new Map(
    found.map(([path, text]) => [path.slice(0, -'/package.json'.length), JSON.parse(text) as Manifest]),
  );
}

const PREFIX: Readonly<Record<string, string>> = {
  shared: '@culvert/',
  actors: '@culvert/actors-',
  services: '@culvert/service-',
};

/** A package's index.ts is its contract: named, exported, with the dependencies that its files use. */
export const packages: Rule = {
  name: 'packages',
  check(tree) {
    const paths = new Set(tree.sources.map(({ path }) => path));
    const found = manifests(tree);
    const folders = new Set([...paths].map(packageOf).filter((folder) => folder !== undefined));
    const without = [...folders].filter((folder) => !found.has(folder));
    return [
      ...without.map((folder) => ({ path: folder, line: 1, problem: 'has no package.json' })),
      ...[...found].flatMap(([folder, manifest]) => [
        ...shape(folder, manifest, paths),
        ...used(folder, manifest, tree),
      ]),
    ];
  },
};

function shape(folder: string, manifest: Manifest, paths: ReadonlySet<string>): Violation[] {
  const [kind = '', name = ''] = folder.split('/');
  const targets = Object.values(manifest.exports ?? {}).map(
    (target) => `${folder}/${target.replace('./', '')}`,
  );
  const faults = [
    manifest.name === `${PREFIX[kind]}${name}`
      ? []
      : [`is named ${manifest.name}, not ${PREFIX[kind]}${name}`],
    manifest.private === true && manifest.type === 'module' ? [] : ['must be private and of type module'],
    manifest.nx?.tags?.includes(`scope:${kind}`) === true ? [] : [`lacks the nx tag scope:${kind}`],
    targets.includes(`${folder}/index.ts`) ? [] : ['does not export ./index.ts'],
    targets.filter((target) => !paths.has(target)).map((target) => `exports ${target}, which does not exist`),
  ].flat();
  return faults.map((problem) => ({ path: `${folder}/package.json`, line: 1, problem }));
}

/** Nx knows the graph from the manifests: a missing dependency hides a change, a stale one costs a run. */
function used(folder: string, manifest: Manifest, tree: Tree): Violation[] {
  const ours = tree.sources.filter(({ path }) => packageOf(path) === folder);
  const specifiers = ours.flatMap(({ imports, text }) => [
    ...imports.map(({ specifier }) => specifier),
    ...[...text.matchAll(/['"](@culvert\/[a-z0-9-]+|[a-z0-9@/.-]+\/package\.json)['"]/g)].map(
      (match) => match[1] ?? '',
    ),
  ]);
  return Object.keys(manifest.dependencies ?? {})
    .filter((name) => !specifiers.some((specifier) => specifier === name || specifier.startsWith(`${name}/`)))
    .map((name) => ({
      path: `${folder}/package.json`,
      line: 1,
      problem: `declares ${name}, which nothing in it imports`,
    }));
}

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * npm drops binary variants that the registry lacks from the lock without a word, and then `npm ci` fails on
 * every machine (npm/cli#9846). So each optional dependency named in the lock must be in it.
 */
export const lockComplete: Rule = {
  name: 'lock',
  check(tree) {
    const text = tree.texts.get('package-lock.json');
    if (text === undefined) return [{ path: 'package-lock.json', line: 1, problem: 'is missing' }];
    const { packages: locked } = JSON.parse(text) as { packages: Readonly<Record<string, LockedPackage>> };
    const lacking = Object.entries(locked).flatMap(([owner, { optionalDependencies }]) =>
      Object.keys(optionalDependencies ?? {})
        .filter((name) => !resolves(locked, owner, name))
        .map((name) => `lacks ${name}, wanted by ${owner === '' ? 'the root' : owner}`),
    );
    const unlisted = [...manifests(tree)]
      .filter(
        ([folder, { dependencies }]) =>
          !sameNames(locked[folder]?.dependencies, dependencies, folder in locked),
      )
      .map(([folder]) => `does not know ${folder} as it is: run npm install --package-lock-only`);
    return [...lacking, ...unlisted].map((problem) => ({ path: 'package-lock.json', line: 1, problem }));
  },
};

function sameNames(
  locked: LockedPackage['dependencies'],
  declared: Manifest['dependencies'],
  listed: boolean,
): boolean {
  const text = (names: object | undefined) =>
    Object.entries(names ?? {})
      .toSorted()
      .join();
  return listed && text(locked) === text(declared);
}

/** Node's way: the owner's own node_modules, then those of each folder above. */
function resolves(locked: Readonly<Record<string, LockedPackage>>, owner: string, name: string): boolean {
  for (let place = owner; ; place = above(place)) {
    if (`${place === '' ? '' : `${place}/`}node_modules/${name}` in locked) return true;
    if (place === '') return false;
  }
}

function above(place: string): string {
  const cut = place.lastIndexOf('node_modules/');
  return cut <= 0 ? '' : place.slice(0, cut - 1);
}
