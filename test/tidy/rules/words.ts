import { lineAt, type Rule, type Tree, type Violation } from '../tree.ts';

/** Spelt in halves, so that this file passes its own rule. */
const halves = (...parts: readonly string[]) => parts.join('');

interface Ban {
  readonly pattern: RegExp;
  readonly problem: string;
  readonly only?: RegExp;
  /** Comments and strings may say it. */
  readonly codeOnly?: true;
}

const CODE = /\.(ts|cc|h)$/;

const BANS: readonly Ban[] = [
  {
    pattern: new RegExp(halves('\\b(TO', 'DO|FIX', 'ME|XX', 'X|HA', 'CK)\\b'), 'g'),
    problem: 'do it, or open an issue',
  },
  {
    pattern: new RegExp(halves('@ts', '-(ignore|nocheck|expect-error)'), 'g'),
    problem: 'a type error is answered, not silenced',
    only: CODE,
  },
  {
    pattern: new RegExp(halves('\\bas', ' any\\b|[<:,] ?any', '\\b(?=[\\s>;,)\\[|&=])'), 'g'),
    problem: 'any: say what it is',
    only: CODE,
    codeOnly: true,
  },
  {
    pattern: new RegExp(
      halves('\\b(test|it|describe|suite)\\.(sk', 'ip|on', 'ly|to', 'do|fai', 'ls)\\('),
      'g',
    ),
    problem: 'a test runs or is not there',
    only: CODE,
  },
  {
    pattern: new RegExp(halves('(^|[\\s\'"`(=:])/(ho', 'me|wo', 'rk|ro', 'ot|Us', 'ers)/[\\w.]'), 'g'),
    problem: 'a path of one machine',
  },
  {
    pattern: new RegExp(halves('biome-', 'ignore(?!(-start|-end|-all)? [\\w/]+: \\S)'), 'g'),
    problem: 'an exception names its rule and its reason',
  },
];

/** Words that have no business in a finished text. Comments and strings count too. */
export const words: Rule = {
  name: 'words',
  check(tree) {
    return texts(tree).flatMap(({ path, text, code }) =>
      BANS.filter(({ only }) => only === undefined || only.test(path)).flatMap(
        ({ pattern, problem, codeOnly }) =>
          [...(codeOnly ? code : text).matchAll(pattern)].map(
            (match): Violation => ({
              path,
              line: lineAt(text, match.index),
              problem: `${match[0].trim()}: ${problem}`,
            }),
          ),
      ),
    );
  },
};

function texts(tree: Tree): { readonly path: string; readonly text: string; readonly code: string }[] {
  const others = [...tree.texts].map(([path, text]) => ({ path, text, code: text }));
  return [...tree.sources, ...others].filter(({ path }) => path !== 'package-lock.json');
}

const VAGUE = /(^|[/-])(utils?|helpers?|managers?|common|misc|stuff)([-./]|$)/;

/** Files are nouns in kebab-case; a vague name says that nobody knew where the code belongs. */
export const fileNames: Rule = {
  name: 'file-names',
  check: ({ sources }) =>
    sources.flatMap(({ path }) => {
      const name = path.slice(path.lastIndexOf('/') + 1).replace(/(\.test|\.config|\.fixture)?\.ts$/, '');
      const faults = [
        ...(VAGUE.test(path) ? ['has a name that says nothing'] : []),
        ...(/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) ? [] : ['is not in kebab-case']),
        ...(/^(services|actors|shared)\/[^/]+\/src\//.test(path)
          ? ['stands in src/: a package has no such folder']
          : []),
      ];
      return faults.map((problem) => ({ path, line: 1, problem }));
    }),
};
