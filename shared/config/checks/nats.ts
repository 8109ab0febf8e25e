import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import type { Parts, Report } from './parts.ts';

export function checkNats({ nats }: Parts, report: Report, baseDir: string): void {
  if (nats === undefined) return;
  const external = nats.url !== undefined;
  if (nats.embedded === true && external)
    report(['nats', 'embedded'], 'contradicts nats.url', 'keep one of the two');
  if (nats.embedded === false && !external) {
    report(['nats', 'embedded'], 'leaves no server', 'add nats.url, or remove it for the embedded server');
  }
  if (nats.url !== undefined && URL.canParse(nats.url) && new URL(nats.url).username !== '') {
    report(['nats', 'url'], 'holds a user or password', 'write nats.user and nats.passwordFile instead');
  }
  for (const name of ['user', 'password', 'passwordFile', 'caFile', 'certFile', 'keyFile'] as const) {
    if (!external && nats[name] !== undefined)
      report(['nats', name], 'has no effect without nats.url', 'remove it');
  }
  if ((nats.certFile === undefined) !== (nats.keyFile === undefined)) {
    report(
      ['nats', nats.certFile === undefined ? 'keyFile' : 'certFile'],
      'stands alone',
      'give certFile and keyFile together',
    );
  }
  if ((nats.password ?? nats.passwordFile) !== undefined && nats.user === undefined) {
    report(['nats', 'user'], 'is missing', 'a password needs its user');
  }
  for (const name of ['caFile', 'certFile', 'keyFile'] as const) {
    const file = nats[name];
    if (file !== undefined && !readable(resolve(baseDir, file))) {
      report(['nats', name], 'cannot be read', `write a path, absolute or relative to ${baseDir}`);
    }
  }
}

function readable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
