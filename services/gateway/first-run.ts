import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { defaultStateDir, newPsk } from '@culvert/config';
import { stringify } from 'yaml';
import { choosePool } from './pool-choice.ts';
import type { Surroundings } from './surroundings.ts';

/** What a person types into the client. Shown once; afterwards it is in files of mode 0600. */
export interface FirstRun {
  readonly configFile: string;
  readonly psk: string;
  readonly user: string;
  readonly password: string;
}

const SYSTEM_CONFIG = '/etc/culvert/culvert.yaml';
const PUBLIC_RESOLVERS = ['9.9.9.9', '1.1.1.1'];
const USER = 'culvert';

/** The configuration to run with: named, the system's, or the one that a first run makes. */
export function configFileFor(named: string | undefined, stateDir: string | undefined): string {
  if (named !== undefined) return named;
  const ours = join(stateDir ?? defaultStateDir(), 'culvert.yaml');
  if (stateDir === undefined && !existsSync(ours) && existsSync(SYSTEM_CONFIG)) return SYSTEM_CONFIG;
  return ours;
}

/** Writes configuration, key and password. Files that exist are left alone and make it fail. */
export function makeFirstConfig(configFile: string, around: Surroundings): FirstRun {
  const pool = choosePool(around.routes);
  if (pool === undefined) {
    throw new Error(
      'every address range known for a pool is in use here: write a configuration with pool.ipv4',
    );
  }
  const folder = dirname(configFile);
  const made = { configFile, psk: newPsk(), user: USER, password: newPassword() };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const [psk, password] = [join(folder, 'first.psk'), join(folder, 'first.password')];
  const left = [psk, password].filter((path) => existsSync(path));
  if (left.length > 0) {
    throw new Error(
      `${left.join(' and ')}: already there, and not replaced: restore ${configFile}, or move what is left away`,
    );
  }
  const write = (path: string, text: string) => writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
  write(psk, `${made.psk}\n`);
  write(password, `${made.password}\n`);
  write(configFile, firstText(pool, around));
  return made;
}

/** Packets of 1,400 octets inside fit into 1,500 outside; a narrower way narrows both. */
const USUAL_MTU = 1_500;
const USUAL_MRU = 1_400;
const LEAST_MTU = 1_280;

function firstText(pool: string, { nameServers, mtu = USUAL_MTU }: Surroundings): string {
  const outerMtu = Math.max(LEAST_MTU, mtu);
  const narrow = outerMtu < USUAL_MTU;
  const settings = {
    stateDir: '.',
    psks: [{ name: 'first', secretFile: 'first.psk' }],
    users: [{ name: USER, passwordFile: 'first.password' }],
    pool: { ipv4: pool },
    ppp: {
      dns: (nameServers.length > 0 ? nameServers : PUBLIC_RESOLVERS).slice(0, 2),
      ...(narrow ? { mru: outerMtu - USUAL_MTU + USUAL_MRU } : {}),
    },
    edge: { snat: true, ...(narrow ? { outerMtu } : {}) },
  };
  return `# Made at the first start of Culvert. \`culvert config schema\` lists every field;
# \`culvert config check\` tells what is wrong with it.
${stringify(settings)}`;
}

/** Letters and digits that are told apart at a glance: it will be typed on a phone. */
const PASSWORD_ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';
const PASSWORD_GROUPS = 4;
const PASSWORD_GROUP_LENGTH = 4;

/** About 79 bits. */
export function newPassword(): string {
  const group = () =>
    Array.from(
      { length: PASSWORD_GROUP_LENGTH },
      () => PASSWORD_ALPHABET[randomInt(PASSWORD_ALPHABET.length)] ?? '',
    ).join('');
  return Array.from({ length: PASSWORD_GROUPS }, group).join('-');
}
