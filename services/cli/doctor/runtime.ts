import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '@culvert/config';
import { bootKat } from '@culvert/crypto';
import { bad, doubtful, type Finding, good } from './finding.ts';

const NODE_MAJOR_MIN = 24;
const ADDON = fileURLToPath(new URL('../../edge/native/build/culvert_native.node', import.meta.url));
const MANIFEST = fileURLToPath(new URL('../../../package.json', import.meta.url));

export function node(): Finding[] {
  const major = Number.parseInt(process.versions.node, 10);
  return major >= NODE_MAJOR_MIN
    ? [good('node', process.version)]
    : [bad('node', process.version, 'use services/cli/culvert, which brings its own, after deploy/setup')];
}

/** In a process of its own: an addon built for another machine may end it. */
export function addon(): Finding[] {
  if (!existsSync(ADDON)) return [bad('native addon', 'not built', 'run deploy/setup')];
  const { status, stderr } = spawnSync(process.execPath, ['-e', `require(${JSON.stringify(ADDON)})`], {
    encoding: 'utf8',
  });
  const words = stderr.split('\n').find((line) => line.includes('Error')) ?? 'it ends the process';
  return status === 0
    ? [good('native addon', 'loads')]
    : [bad('native addon', words, 'run deploy/setup again')];
}

interface CipherState {
  readonly name: string;
  readonly version: string;
  readonly usable: boolean;
  readonly why: string;
}

/** What would compute ESP, each asked for known answers. The same choice as the edge makes. */
export function ciphers(config: Config): Finding[] {
  const name = 'ESP ciphers';
  const ask = `process.stdout.write(JSON.stringify(require(${JSON.stringify(ADDON)}).cryptoBackends()))`;
  const { status, stdout } = spawnSync(process.execPath, ['-e', ask], { encoding: 'utf8' });
  if (status !== 0) return [bad(name, 'the native addon does not answer', 'run deploy/setup')];
  const states = JSON.parse(stdout) as readonly CipherState[];
  const wanted = config.edge.cipher;
  const fit = states.filter((state) => wanted === 'auto' || state.name === wanted);
  const chosen = fit.find(({ usable }) => usable);
  const lacking = states.filter(({ usable }) => !usable).map((state) => `${state.name}: ${state.why}`);
  if (chosen === undefined) {
    const remedy = wanted === 'auto' ? 'run deploy/setup again' : 'set edge.cipher to auto';
    return [bad(name, `edge.cipher ${wanted}: ${lacking.join('; ')}`, remedy)];
  }
  return lacking.length === 0 || process.arch !== 'x64'
    ? [good(name, chosen.version)]
    : [
        doubtful(
          name,
          `${chosen.version}; ${lacking.join('; ')}`,
          'run deploy/setup, which installs intel-ipsec-mb',
        ),
      ];
}

export async function knownAnswers(): Promise<Finding[]> {
  const { passed, refused } = await bootKat();
  return refused.length === 0
    ? [good('cryptography', `${passed.length} algorithms give the published answers`)]
    : [
        bad(
          'cryptography',
          `wrong answers from ${refused.join(', ')}`,
          'this processor or OpenSSL cannot be trusted',
        ),
      ];
}

/** Lifetimes and certificates need a clock that is about right; the project's own files bound it from below. */
export function clock(): Finding[] {
  const now = Date.now();
  const text = new Date(now).toISOString();
  return now < statSync(MANIFEST).mtimeMs - 86_400_000
    ? [bad('clock', `${text}, before this program was installed`, 'set the clock, and keep it with NTP')]
    : [good('clock', text)];
}

export function stateDirectory(config: Config): Finding[] {
  const name = 'state directory';
  const existing = nearestExisting(config.stateDir);
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
  } catch {
    return [
      bad(
        name,
        `${config.stateDir} cannot be written`,
        'run as root, or choose another with stateDir or --state',
      ),
    ];
  }
  const mode = statSync(existing).mode & 0o777;
  return existing === config.stateDir && (mode & 0o077) !== 0
    ? [
        doubtful(
          name,
          `${config.stateDir} is open to other users (mode ${mode.toString(8)})`,
          `chmod 700 ${config.stateDir}`,
        ),
      ]
    : [good(name, config.stateDir)];
}

/** Whoever reads the shared key can be the gateway; whoever reads a password can be the user. */
export function secretFiles(paths: readonly string[]): Finding[] {
  const open = paths.filter((path) => {
    try {
      return (statSync(path).mode & 0o077) !== 0;
    } catch {
      return false; // config check tells what cannot be read
    }
  });
  return open.length === 0
    ? [good('secret files', 'nobody else can read them')]
    : open.map((path) => doubtful('secret files', `${path} can be read by others`, `chmod 600 ${path}`));
}

function nearestExisting(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestExisting(dirname(path));
}
