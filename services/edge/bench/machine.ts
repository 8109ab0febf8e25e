import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { backends } from './crypto.ts';
import type { MachineReport } from './result.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export function machineReport(): MachineReport {
  return {
    cpu: cpus()[0]?.model.trim() ?? arch(),
    cores: availableParallelism(),
    memoryOctets: totalmem(),
    kernel: `Linux ${release()}`,
    node: process.version,
    ciphers: backends().map(({ name, version, usable, why }) =>
      usable ? version : `${name} not usable: ${why}`,
    ),
  };
}

/** With the commit where there is a repository; `+` says that files differ from it. */
export function versionOf(): string {
  const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string };
  // Root often measures in somebody else's clone, which git would refuse to look at.
  const git = (...words: string[]) =>
    execFileSync('git', ['-C', ROOT, '-c', 'safe.directory=*', ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const dirty = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+';
    return `${version} (${git('rev-parse', '--short', 'HEAD')}${dirty})`;
  } catch {
    return version;
  }
}
