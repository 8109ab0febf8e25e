import { dirname, join } from 'node:path/posix';
import type { Rule, SourceFile, Tree } from '../tree.ts';
import { manifests } from './manifest.ts';

/** A file that nothing runs and nothing imports is dead, however good it looks. */
export const deadFiles: Rule = {
  name: 'dead-files',
  check(tree) {
    const byPath = new Map(tree.sources.map((file) => [file.path, file]));
    const names = new Map(
      [...manifests(tree)].map(([folder, manifest]) => [manifest.name, { folder, manifest }]),
    );
    const reached = new Set<string>();
    const queue = roots(tree);
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      const file = byPath.get(path);
      if (file === undefined || reached.has(path)) continue;
      reached.add(path);
      queue.push(...mentioned(file));
      for (const { specifier, target } of file.imports) {
        const name = specifier.split('/').slice(0, 2).join('/');
        const ours = names.get(name);
        const entry = ours?.manifest.exports?.[`.${specifier.slice(name.length)}`];
        queue.push(target ?? (ours === undefined || entry === undefined ? '' : join(ours.folder, entry)));
      }
    }
    return tree.sources
      .filter(({ path }) => !reached.has(path))
      .map(({ path }) => ({ path, line: 1, problem: 'is reached from no index, main, test or script' }));
  },
};

function roots(tree: Tree): string[] {
  const entries = tree.sources
    .map(({ path }) => path)
    .filter((path) => /(^|\/)(main|index|[^/]+\.test|vitest\.config)\.ts$/.test(path));
  const exported = [...manifests(tree)].flatMap(([folder, manifest]) =>
    Object.values(manifest.exports ?? {}).map((target) => join(folder, target)),
  );
  // Scripts and package.json name files from the root of the repository or from their own folder.
  const scripted = [...tree.texts]
    .filter(([path]) => !path.endsWith('.md'))
    .flatMap(([path, text]) =>
      [...text.matchAll(/[A-Za-z0-9_./-]+\.ts\b/g)].flatMap(([name]) => [
        join(name),
        join(dirname(path), name),
      ]),
    );
  return [...entries, ...exported, ...scripted];
}

/** Workers and child processes are started by path: `new URL('./worker.ts', import.meta.url)`. */
function mentioned(file: SourceFile): string[] {
  return [...file.text.matchAll(/['"`]([A-Za-z0-9_./-]+\.ts)['"`]/g)].flatMap(([, name = '']) => [
    join(dirname(file.path), name),
    join(name),
  ]);
}
