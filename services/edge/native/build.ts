import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * Builds the addon with plain g++ (no node-gyp): the Node-API is stable across Node versions. An object is
 * compiled again only when something that went into it has changed.
 *
 *   node build.ts              build
 *   node build.ts --check      leave with 1 when it is not up to date
 *   node build.ts --sanitize   build/sanitized, with the address and undefined behaviour sanitizers
 *   node build.ts --fuzz       build/fuzz, the targets of fuzz/ with libFuzzer; needs clang
 *   node build.ts --optional   for npm: without a compiler say one line and leave with 0
 *
 * intel-ipsec-mb is linked in where its static library is; CULVERT_NO_IPSECMB=1 leaves it out.
 */
const here = dirname(fileURLToPath(import.meta.url));
const compiler = process.env.CXX ?? 'g++';
const require = createRequire(import.meta.url);
/** What is in these folders is not part of the addon. */
const APART = new Set(['build', 'fuzz']);
export const FUZZ_TARGETS = ['packets', 'entries', 'ring', 'share'] as const;
/** Node-API, sockets and devices have no place in a fuzzed engine. */
const OUTSIDE = /(face|loop|transmit|queues|rates)\.cc$/;
/** A smaller machine than this has one core to itself while it builds. */
const PARALLEL = 2;

interface Plan {
  readonly folder: string;
  readonly compiler: string;
  readonly sources: readonly string[];
  /** What is linked, and the sources that are in no other of them. */
  readonly outputs: readonly { readonly name: string; readonly own: readonly string[] }[];
  readonly compile: readonly string[];
  readonly link: readonly string[];
}

const COMMON = [
  '-std=c++20',
  '-g',
  '-fPIC',
  '-fvisibility=hidden',
  // Doubles must come out as in JavaScript, on every processor.
  '-ffp-contract=off',
  '-D_GNU_SOURCE',
  '-DNAPI_VERSION=8',
  '-DNAPI_CPP_EXCEPTIONS',
  // A thread that is being ended cannot take an exception any more: that must not end the process.
  '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
  '-Wall',
  '-Wextra',
];
const HARDENED = ['-O3', '-flto=2', '-fstack-protector-strong', '-D_FORTIFY_SOURCE=2'];
const SANITIZED = [
  '-O1',
  '-fno-omit-frame-pointer',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=undefined',
];
const LINK = ['-shared', '-Wl,-z,relro,-z,now', '-Wl,--exclude-libs,ALL'];

const addonOutput = (sanitize = false) => join(planFolder(sanitize), 'culvert_native.node');
const ADDON = [{ name: 'culvert_native.node', own: [] }];
const planFolder = (sanitize: boolean) => join(here, 'build', ...(sanitize ? ['sanitized'] : []));

function plan(sanitize: boolean): Plan {
  const library = ipsecMb();
  return {
    folder: planFolder(sanitize),
    compiler,
    sources: sources(),
    outputs: ADDON,
    compile: [
      ...COMMON,
      ...(sanitize ? SANITIZED : HARDENED),
      // The first for its header, which asks what it is compiled for.
      ...(library === undefined ? [] : ['-DLINUX', '-DHAVE_IPSEC_MB']),
      // As system headers: their warnings are not ours.
      ...headerFolders().flatMap((folder) => ['-isystem', folder]),
    ],
    link: [...LINK, ...(sanitize ? SANITIZED : HARDENED), ...(library === undefined ? [] : [library])],
  };
}

export const fuzzFolder = join(here, 'build', 'fuzz');

/** OpenSSL alone, the machine's own: what is not instrumented hides its faults. */
function fuzzPlan(): Plan {
  const folder = join(here, 'fuzz');
  const target = (name: string) => join(folder, `${name}.cc`);
  const fuzzed = [...sources(join(here, 'engine')), ...sources(join(here, 'crypto'))];
  return {
    folder: fuzzFolder,
    compiler: 'clang++',
    sources: [...fuzzed.filter((source) => !OUTSIDE.test(source)), ...sources(folder)],
    outputs: FUZZ_TARGETS.map((name) => ({ name, own: [target(name)] })),
    compile: [...COMMON, ...SANITIZED, '-fsanitize=fuzzer-no-link'],
    link: [...SANITIZED, '-fsanitize=fuzzer', '-lcrypto'],
  };
}

function headerFolders(): string[] {
  return [
    dirname(require.resolve('node-addon-api/package.json')),
    join(dirname(require.resolve('node-api-headers/package.json')), 'include'),
    // OpenSSL as Node has it inside; its functions are found in Node when the addon is loaded.
    nodeHeaders(),
  ];
}

function nodeHeaders(): string {
  const candidates = [join(dirname(process.execPath), '..', 'include', 'node')];
  try {
    const manifest = require.resolve(`node-linux-${process.arch}/package.json`);
    candidates.unshift(join(dirname(manifest), 'include', 'node'));
  } catch {
    // npm leaves out what the registry has not; a Node from elsewhere brings its headers too.
  }
  const found = candidates.find((folder) => existsSync(join(folder, 'openssl', 'evp.h')));
  if (found === undefined) throw new Error(`Node's headers are missing: ${candidates.join(', ')}`);
  return found;
}

/** The static library, which the compiler knows where to look for; undefined: OpenSSL does it all. */
function ipsecMb(): string | undefined {
  if (process.arch !== 'x64' || process.env.CULVERT_NO_IPSECMB === '1') return undefined;
  const name = 'libIPSec_MB.a';
  const found = execFileSync(compiler, [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
  if (found === name) return undefined;
  const probe = '#include <intel-ipsec-mb.h>\n#if IMB_VERSION_NUM < 0x10300\n#error too old\n#endif\n';
  try {
    const flags = ['-x', 'c++', '-DLINUX', '-fsyntax-only', '-'];
    execFileSync(compiler, flags, { input: probe, stdio: ['pipe', 'ignore', 'ignore'] });
    return found;
  } catch {
    return undefined;
  }
}

function sources(folder = here): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory() && !APART.has(entry.name)) found.push(...sources(join(folder, entry.name)));
    if (entry.isFile() && entry.name.endsWith('.cc')) found.push(join(folder, entry.name));
  }
  return found.sort();
}

const objectOf = (of: Plan, source: string) =>
  join(of.folder, 'objects', `${relative(here, source).replaceAll('/', '.')}.o`);

/** What the compiler said it had read for this object the last time. */
function readFor(of: Plan, source: string): string[] {
  const list = `${objectOf(of, source)}.d`;
  if (!existsSync(list)) return [];
  const files = readFileSync(list, 'utf8').replaceAll('\\\n', ' ').split(':').slice(1).join(':');
  return files.trim().split(/\s+/);
}

/** Empty when it is not known. */
function fingerprint(of: Plan, source: string): string {
  const files = readFor(of, source);
  if (files.length === 0) return '';
  const hash = createHash('sha256').update(JSON.stringify([of.compiler, of.compile]));
  for (const file of files) {
    if (!existsSync(file)) return '';
    hash.update(file).update(readFileSync(file));
  }
  return hash.digest('hex');
}

function isFresh(of: Plan, source: string): boolean {
  const object = objectOf(of, source);
  const now = fingerprint(of, source);
  return now !== '' && existsSync(object) && stampOf(object) === now;
}

const stampOf = (file: string) =>
  existsSync(`${file}.sha256`) ? readFileSync(`${file}.sha256`, 'utf8') : undefined;

/** What one output is linked of. */
function linkedOf(of: Plan, name: string): readonly string[] {
  const others = of.outputs.filter((output) => output.name !== name).flatMap(({ own }) => own);
  return of.sources.filter((source) => !others.includes(source));
}

function linkFingerprint(of: Plan, name: string): string {
  const objects = linkedOf(of, name).map((source) => [relative(here, source), stampOf(objectOf(of, source))]);
  return createHash('sha256')
    .update(JSON.stringify([of.compiler, of.link, objects]))
    .digest('hex');
}

function isLinked(of: Plan): boolean {
  return of.outputs.every(({ name }) => {
    const output = join(of.folder, name);
    return existsSync(output) && stampOf(output) === linkFingerprint(of, name);
  });
}

const isDone = (of: Plan) => of.sources.every((source) => isFresh(of, source)) && isLinked(of);

export const isBuilt = (sanitize = false): boolean => isDone(plan(sanitize));

/** Answers false when there was nothing to do; throws with the compiler's words when it fails. */
export const buildNative = (sanitize = false): Promise<boolean> => build(plan(sanitize));
export const buildFuzz = (): Promise<boolean> => build(fuzzPlan());

async function build(of: Plan): Promise<boolean> {
  mkdirSync(join(of.folder, 'objects'), { recursive: true });
  const stale = of.sources.filter((source) => !isFresh(of, source));
  if (stale.length === 0 && isLinked(of)) return false;
  const queue = stale.values();
  const faults: unknown[] = [];
  const worker = async () => {
    for (const source of queue) await compile(of, source).catch((fault: unknown) => faults.push(fault));
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  if (faults.length > 0) throw faults[0];
  for (const { name } of of.outputs) await link(of, name);
  return true;
}

async function link(of: Plan, name: string): Promise<void> {
  const output = join(of.folder, name);
  const objects = linkedOf(of, name).map((source) => objectOf(of, source));
  const linked = linkFingerprint(of, name);
  await whole(output, (fresh) => run(of, ['-o', fresh, ...objects, ...of.link]));
  writeFileSync(`${output}.sha256`, linked);
}

async function compile(of: Plan, source: string): Promise<void> {
  const object = objectOf(of, source);
  rmSync(`${object}.sha256`, { force: true });
  const startedMs = Date.now();
  await whole(object, (fresh) =>
    run(of, [...of.compile, '-MMD', '-MF', `${object}.d`, '-c', source, '-o', fresh]),
  );
  // What was edited while the compiler ran may have been read before: then the object has no stamp.
  const edited = readFor(of, source).some((file) => statSync(file).mtimeMs >= startedMs);
  if (!edited) writeFileSync(`${object}.sha256`, fingerprint(of, source));
}

/** Under another name first: who reads meanwhile, or builds too, never sees half a file. */
async function whole(path: string, make: (fresh: string) => Promise<void>): Promise<void> {
  const fresh = `${path}.${process.pid}`;
  try {
    await make(fresh);
    renameSync(fresh, path);
  } finally {
    rmSync(fresh, { force: true });
  }
}

async function run(of: Plan, options: readonly string[]): Promise<void> {
  const { stderr } = await promisify(execFile)(of.compiler, options, { maxBuffer: 1 << 26 });
  process.stderr.write(stderr);
}

function hasCompiler(): boolean {
  try {
    execFileSync(compiler, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** An image may bring the addon and no compiler. */
function withoutCompiler(exists: boolean, options: readonly string[]): void {
  const words = exists ? 'the native addon stays as it is' : 'the native addon was not built';
  if (!options.includes('--check'))
    console.log(`${compiler} is missing: ${words} (deploy/setup installs it)`);
  if (!exists && !options.includes('--optional')) process.exitCode = 1;
}

async function main(options: readonly string[]): Promise<void> {
  const sanitize = options.includes('--sanitize');
  if (options.includes('--fuzz')) {
    console.log((await buildFuzz()) ? `built ${FUZZ_TARGETS.join(', ')}` : 'the fuzz targets are up to date');
  } else if (!hasCompiler()) {
    withoutCompiler(existsSync(addonOutput(sanitize)), options);
  } else if (options.includes('--check')) {
    process.exitCode = isBuilt(sanitize) ? 0 : 1;
  } else {
    const name = basename(addonOutput(sanitize));
    const with_ = ipsecMb() === undefined ? 'OpenSSL alone' : 'intel-ipsec-mb';
    const built = await buildNative(sanitize);
    console.log(built ? `built ${name} with ${with_}` : `the native addon (${with_}) is up to date`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = process.argv.slice(2);
  await main(options).catch((fault: unknown) => {
    // The compiler's own words, if it is its fault.
    console.error(fault instanceof Error && 'stderr' in fault ? fault.stderr : fault);
    process.exitCode = options.includes('--optional') ? 0 : 1;
  });
}
