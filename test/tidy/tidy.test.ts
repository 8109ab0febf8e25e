import { describe, expect, test } from 'vitest';
import { RULES } from './rules/index.ts';
import { plant } from './tree.ts';

/** What the named rule says about a planted tree: `path:line problem`. */
function said(rule: string, files: Readonly<Record<string, string>>): string[] {
  const found = RULES.find(({ name }) => name === rule);
  if (found === undefined) throw new Error(`no rule ${rule}`);
  return found.check(plant(files)).map(({ path, line, problem }) => `${path}:${line} ${problem}`);
}

function manifest(name: string, more: object = {}): string {
  const scope = name.includes('service-') ? 'services' : name.includes('actors-') ? 'actors' : 'shared';
  const base = {
    name,
    private: true,
    type: 'module',
    exports: { '.': './index.ts' },
    nx: { tags: [`scope:${scope}`] },
  };
  return JSON.stringify({ ...base, ...more });
}

const MANIFESTS = {
  'shared/wire/package.json': manifest('@culvert/wire'),
  'shared/crypto/package.json': manifest('@culvert/crypto'),
  'shared/bus/package.json': manifest('@culvert/bus'),
  'services/gateway/package.json': manifest('@culvert/service-gateway'),
  'services/ike/package.json': manifest('@culvert/service-ike'),
};

describe('imports', () => {
  test.each([
    ['shared/wire/a.ts', "import 'node:fs';", 'shared/wire may not import node:fs'],
    ['shared/wire/a.ts', "import { x } from 'zod';", 'shared/wire may not import zod'],
    ['shared/kernel/a.ts', "export * from '@culvert/wire';", 'shared/kernel may not import @culvert/wire'],
    ['actors/ppp/a.ts', "import { Bus } from '@culvert/bus';", 'actors/ppp may not import @culvert/bus'],
    ['actors/ppp/a.ts', "import { hash } from 'node:crypto';", 'actors/ppp may not import node:crypto'],
    ['actors/ppp/a.ts', "const x = await import('@culvert/bus');", 'actors/ppp may not import @culvert/bus'],
    ['actors/ppp/a.ts', "import type { A } from '../l2tp/a.ts';", 'leaves its package: ../l2tp/a.ts'],
    [
      'services/ike/a.ts',
      "import { g } from '@culvert/service-gateway';",
      'services/ike may not import @culvert/service-gateway',
    ],
    [
      'services/cli/a.ts',
      "import { g } from '@culvert/service-ike';",
      'services/cli may not import @culvert/service-ike',
    ],
    [
      'shared/contracts/a.ts',
      "import { hex } from '@culvert/wire';",
      'shared/contracts may import only types of @culvert/wire',
    ],
    [
      'shared/config/a.ts',
      "import { Secret, prf } from '@culvert/crypto';",
      'shared/config may not take prf from @culvert/crypto',
    ],
    [
      'shared/config/a.ts',
      "import { x } from '@culvert/none';",
      '@culvert/none is not a package of this repository',
    ],
    ['services/ike/a.ts', "import { x } from '../../test/sim/x.ts';", 'imports from test/'],
    ['services/ike/a.ts', "import { x } from './b.test.ts';", 'imports a test'],
    ['services/ike/a.ts', "import { x } from './b.fixture.ts';", 'imports a test'],
  ])('%s: %s', (path, text, problem) => {
    expect(said('imports', { ...MANIFESTS, [path]: text })).toEqual([`${path}:1 ${problem}`]);
  });

  test('what the table allows is allowed, and so is everything in tests', () => {
    const files = {
      'actors/ppp/a.ts':
        "import { setup } from 'xstate';\nimport { hex } from '@culvert/wire';\nimport { b } from './b/c.ts';",
      'shared/config/a.ts': "import { Secret } from '@culvert/crypto';\nimport { z } from 'zod';",
      'shared/contracts/a.ts': "import type { Avp } from '@culvert/wire';",
      'services/cli/a.ts': "import { g } from '@culvert/service-gateway';",
      'actors/ppp/a.test.ts': "import { Bus } from '@culvert/bus';\nimport x from '../../test/sim/x.ts';",
      'actors/ppp/c.ts': "// import { Bus } from '@culvert/bus';\nconst text = \"import 'node:fs'\";",
    };
    expect(said('imports', { ...MANIFESTS, ...files })).toEqual([]);
  });

  test('IKEv1 and IKEv2 stay apart', () => {
    expect(said('ike-versions', { 'actors/ike/v2/a.ts': "import { x } from '../v1/b.ts';" })).toEqual([
      'actors/ike/v2/a.ts:1 imports the other IKE version: ../v1/b.ts',
    ]);
    expect(said('ike-versions', { 'actors/ike/v2/a.ts': "import { x } from '../exchange/b.ts';" })).toEqual(
      [],
    );
  });
});

describe('packages', () => {
  const index = { 'shared/wire/index.ts': "import { z } from 'zod';" };

  test.each<[object, string]>([
    [{ name: '@culvert/wires' }, 'is named @culvert/wires, not @culvert/wire'],
    [{ private: false }, 'must be private and of type module'],
    [{ exports: {} }, 'does not export ./index.ts'],
    [
      { exports: { '.': './index.ts', './ike': './ike.ts' } },
      'exports shared/wire/ike.ts, which does not exist',
    ],
    [{ nx: { tags: [] } }, 'lacks the nx tag scope:shared'],
    [{ dependencies: { zod: '*', yaml: '*' } }, 'declares yaml, which nothing in it imports'],
  ])('%j', (more, problem) => {
    const files = { 'shared/wire/package.json': manifest('@culvert/wire', more), ...index };
    expect(said('packages', files)).toEqual([`shared/wire/package.json:1 ${problem}`]);
  });

  test('a folder without a manifest is found, a good one is not', () => {
    expect(said('packages', { 'shared/lost/a.ts': '' })).toEqual(['shared/lost:1 has no package.json']);
    expect(said('packages', { 'shared/wire/package.json': manifest('@culvert/wire'), ...index })).toEqual([]);
  });
});

describe('lock', () => {
  const lock = (packages: object) => ({ 'package-lock.json': JSON.stringify({ packages }) });

  test('a variant that npm dropped', () => {
    const files = lock({
      'node_modules/nx': { optionalDependencies: { '@nx/nx-linux-x64': '1', '@nx/nx-darwin-arm64': '1' } },
      'node_modules/@nx/nx-linux-x64': {},
    });
    expect(said('lock', files)).toEqual([
      'package-lock.json:1 lacks @nx/nx-darwin-arm64, wanted by node_modules/nx',
    ]);
  });

  test('a variant below its owner counts', () => {
    const files = lock({
      'node_modules/a': { optionalDependencies: { b: '1' } },
      'node_modules/a/node_modules/b': {},
    });
    expect(said('lock', files)).toEqual([]);
  });

  test('a workspace that it does not know, or knew otherwise, and no lock at all', () => {
    const wire = (more: object) => ({ 'shared/wire/package.json': manifest('@culvert/wire', more) });
    const problem =
      'package-lock.json:1 does not know shared/wire as it is: run npm install --package-lock-only';
    expect(said('lock', { ...lock({}), ...wire({}) })).toEqual([problem]);
    expect(said('lock', { ...lock({ 'shared/wire': {} }), ...wire({ dependencies: { zod: '*' } }) })).toEqual(
      [problem],
    );
    expect(
      said('lock', {
        ...lock({ 'shared/wire': { dependencies: { zod: '*' } } }),
        ...wire({ dependencies: { zod: '*' } }),
      }),
    ).toEqual([]);
    expect(said('lock', {})).toEqual(['package-lock.json:1 is missing']);
  });
});

describe('ambient', () => {
  test.each([
    'Date.now()',
    'new Date()',
    'performance.now()',
    'process.hrtime()',
    'Math.random()',
    'randomBytes(4)',
    'crypto.getRandomValues(x)',
    'crypto.randomUUID()',
    'setTimeout(f, 1)',
    'setInterval(f, 1)',
    'setImmediate(f)',
  ])('%s', (text) => {
    for (const path of [
      'actors/ppp/a.ts',
      'shared/wire/a.ts',
      'shared/kernel/a.ts',
      'shared/host/a.ts',
      'services/ppp/a.ts',
    ]) {
      expect(said('ambient', { [path]: `\nconst x = ${text};` })[0]).toMatch(new RegExp(`^${path}:2 `));
    }
  });

  test('not in tests, comments, strings, the clock, nor where it is allowed', () => {
    const files = {
      'actors/ppp/a.test.ts': 'Date.now()',
      'actors/ppp/a.ts':
        "// Date.now()\nconst x = 'Math.random'; const d = new Date(at); /setTimeout(/.test(x)",
      'shared/host/clock.ts': 'setTimeout(f, 1); Date.now();',
      'services/gateway/a.ts': 'Date.now()',
    };
    expect(said('ambient', files)).toEqual([]);
  });
});

describe('octets and machines', () => {
  test('no Buffer where octets are plain', () => {
    expect(
      said('buffer', { 'shared/wire/a.ts': 'Buffer.from(x)', 'actors/a/b.ts': 'new ArrayBuffer(4)' }),
    ).toEqual(['shared/wire/a.ts:1 Buffer: octets are Uint8Array here']);
  });

  test.each([
    ['invoke: { src: x }', 'invoke: a machine has no children'],
    ['spawnChild(x)', 'a machine has no children and sends nothing'],
    ["enqueue.sendTo('a', x)", 'a machine has no children and sends nothing'],
    ['fromPromise(f)', 'actor logic belongs to services'],
    ['after: { 1000: x }', 'after: use raise with a fixed id, so that stored timers survive a renamed state'],
    ['delays: { restart: 3 }', 'named delay: a delay comes from checked numbers in the context'],
    [
      "raise({ type: 'TO' }, { id: 'x', delay: 'restart' })",
      'named delay: a delay comes from checked numbers in the context',
    ],
  ])('%s', (text, problem) => {
    const file = `import { setup } from 'xstate';\n${text}`;
    expect(said('machines', { 'actors/ppp/a.ts': file })).toEqual([`actors/ppp/a.ts:2 ${problem}`]);
  });

  test('only the listed names of xstate', () => {
    const file = "import { createActor, setup, type SnapshotFrom } from 'xstate';";
    expect(said('machines', { 'actors/ppp/a.ts': file })[0]).toMatch(
      /^actors\/ppp\/a\.ts:1 takes createActor from xstate/,
    );
    expect(said('machines', { 'actors/ppp/b.ts': 'const x = { after: { 1: 2 } }; spawn(x);' })).toEqual([]);
  });
});

describe('length', () => {
  const lines = (many: number) => '    a();\n'.repeat(many);

  test('of files', () => {
    const files = {
      'shared/a/b.ts': lines(401),
      'shared/a/c.ts': lines(400),
      'shared/a/b.test.ts': lines(601),
      'test/d.ts': lines(600),
    };
    expect(said('file-length', files)).toEqual([
      'shared/a/b.test.ts:600 601 lines; the most is 600',
      'shared/a/b.ts:400 401 lines; the most is 400',
    ]);
  });

  test.each([
    ['function f() {', '}'],
    ['export const f = async (a: number) => {', '};'],
    ['  method(a: string): void {', '  }'],
    ['  async *method<T>(a: T) {', '  }'],
    ['  return (a) => {', '  };'],
    ['function f(\n  a: number,\n): void {', '}'],
  ])('of %j', (opening, closing) => {
    const of = (many: number) => `${opening}\n${`    a();\n`.repeat(many)}${closing}\n`;
    const around = opening.split('\n').length + 1;
    expect(said('function-length', { 'shared/a/b.ts': of(70 - around) })).toEqual([]);
    expect(said('function-length', { 'shared/a/b.ts': of(71 - around) })).toEqual([
      'shared/a/b.ts:1 a function of 71 lines; the most is 70',
    ]);
  });

  test('of one that encloses others by its own lines, and by all up to a bound', () => {
    const inner = (many: number) => `  const g = () => {\n${lines(many)}  };\n`;
    const outer = (many: number) => `function f() {\n${lines(30)}${inner(many)}}\n`;
    expect(said('function-length', { 'shared/a/b.ts': outer(60) })).toEqual([]);
    expect(said('function-length', { 'shared/a/b.ts': outer(67) })).toEqual([
      'shared/a/b.ts:1 a function of 101 lines with those inside it; the most is 100',
    ]);
  });

  test.each(['if (a) {', 'const TABLE = {', 'class A {', 'for (const a of b) {', 'if (\n  a &&\n  b\n) {'])(
    'not of %j',
    (opening) => {
      expect(said('function-length', { 'shared/a/b.ts': `${opening}\n${lines(90)}}\n` })).toEqual([]);
    },
  );
});

describe('dead files', () => {
  const live = {
    'shared/wire/package.json': manifest('@culvert/wire', {
      exports: { '.': './index.ts', './l2tp': './l2tp/entry.ts' },
    }),
    'shared/wire/index.ts': "export { a } from './a.ts';",
    'shared/wire/a.ts': "const w = new URL('./worker.ts', import.meta.url);",
    'shared/wire/worker.ts': '',
    'shared/wire/l2tp/entry.ts': "import type { B } from './b.ts';",
    'shared/wire/l2tp/b.ts': '',
    'deploy/setup': 'node deploy/tool.ts',
    'deploy/tool.ts': '',
    'test/bench/setup.ts': '',
    'package.json': '{"scripts":{"bench":"node test/bench/setup.ts"}}',
    'services/x/main.ts': '',
    'test/sim/run.test.ts': "import { p } from './peer.ts';",
    'test/sim/peer.ts': '',
  };

  test('a file that nothing reaches', () => {
    const dead = { 'shared/wire/old.ts': "import './older.ts';", 'shared/wire/older.ts': '' };
    expect(said('dead-files', { ...live, ...dead })).toEqual([
      'shared/wire/old.ts:1 is reached from no index, main, test or script',
      'shared/wire/older.ts:1 is reached from no index, main, test or script',
    ]);
  });

  test('exports, workers, scripts and tests keep files alive', () => {
    expect(said('dead-files', live)).toEqual([]);
  });
});

describe('words', () => {
  test.each([
    ['// TO', 'DO later'],
    ['// FIX', 'ME'],
    ['// @ts', '-ignore'],
    ['const a = b as', ' any;'],
    ['function f(a:', ' any) {}'],
    ['const a: Map<string,', ' any> = x;'],
    ['test.sk', "ip('x', f);"],
    ['describe.on', "ly('x', f);"],
    ['// biome-', 'ignore lint/a/b:'],
    ["const p = '/wo", "rk/main';"],
    ['see /ho', 'me/me/x'],
  ])('%s...', (first, second) => {
    expect(said('words', { 'shared/a/b.ts': `\n${first}${second}` })).toHaveLength(1);
  });

  test('plain prose and code pass', () => {
    const files = {
      'shared/a/b.ts':
        "// any order, as any reader would\nconst a = 'many';\n// biome-ignore lint/a/b: the reason\nconst w = 'at/work/x';",
      'README.md': 'Use any client. Work in /root is not needed.',
    };
    expect(said('words', files)).toEqual([]);
  });

  test('file names', () => {
    expect(
      said('file-names', { 'shared/a/utils.ts': '', 'shared/a/pskStore.ts': '', 'shared/a/src/b.ts': '' }),
    ).toEqual([
      'shared/a/pskStore.ts:1 is not in kebab-case',
      'shared/a/src/b.ts:1 stands in src/: a package has no such folder',
      'shared/a/utils.ts:1 has a name that says nothing',
    ]);
    expect(said('file-names', { 'shared/a/ms-chap-v2.test.ts': '', 'vitest.config.ts': '' })).toEqual([]);
  });
});

test('every rule has a planted violation above', async () => {
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(new URL(import.meta.url), 'utf8');
  for (const { name } of RULES) expect(text).toContain(`said('${name}'`);
});
