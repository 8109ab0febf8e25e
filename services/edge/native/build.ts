import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Builds the addon with plain g++ (no node-gyp): the sources are five files and the Node-API is stable
 * across Node versions. Does nothing when the addon was built from the same sources and flags.
 */
const here = dirname(fileURLToPath(import.meta.url));
const output = join(here, 'build', 'culvert_native.node');
const stamp = join(here, 'build', 'culvert_native.sha256');

const FLAGS = [
  '-std=c++20',
  '-O2',
  '-g',
  '-fPIC',
  '-shared',
  '-fvisibility=hidden',
  '-fstack-protector-strong',
  '-D_FORTIFY_SOURCE=2',
  '-D_GNU_SOURCE',
  '-DNAPI_VERSION=8',
  '-DNAPI_CPP_EXCEPTIONS',
  '-Wall',
  '-Wextra',
  '-Wl,-z,relro,-z,now',
];

function includes(): string[] {
  const require = createRequire(import.meta.url);
  const api = dirname(require.resolve('node-addon-api/package.json'));
  const headers = join(dirname(require.resolve('node-api-headers/package.json')), 'include');
  // As system headers: their warnings are not ours.
  return ['-isystem', api, '-isystem', headers];
}

function sources(): string[] {
  return readdirSync(here)
    .filter((name) => name.endsWith('.cc'))
    .sort()
    .map((name) => join(here, name));
}

function fingerprint(): string {
  const hash = createHash('sha256').update(JSON.stringify([FLAGS, process.arch]));
  for (const file of [...sources(), join(here, 'edge_native.h')]) hash.update(readFileSync(file));
  return hash.digest('hex');
}

export function isBuilt(): boolean {
  return existsSync(output) && existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint();
}

/** Answers false when there was nothing to do; throws with the compiler's words when it fails. */
export function buildNative(): boolean {
  if (isBuilt()) return false;
  mkdirSync(dirname(output), { recursive: true });
  const fresh = `${output}.${process.pid}`;
  execFileSync(process.env.CXX ?? 'g++', [...FLAGS, ...includes(), '-o', fresh, ...sources()], {
    stdio: 'inherit',
  });
  renameSync(fresh, output);
  writeFileSync(stamp, fingerprint());
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--check')) process.exitCode = isBuilt() ? 0 : 1;
  else console.log(buildNative() ? `built ${output}` : 'the native addon is up to date');
}
