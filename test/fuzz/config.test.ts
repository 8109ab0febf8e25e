import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigFaults, faultText, parseConfig, printConfig } from '@culvert/config';
import { readUsersFile } from '@culvert/users';
import { afterAll, describe, test } from 'vitest';
import type { Chance } from '../sim/chance.ts';
import { FUZZ_TIMEOUT_MS, fuzz, roundsOf } from './run.ts';

/** Long, and unlike anything else in the files: a run of ten characters of one is a leak. */
const SECRETS = [
  'q7ma-x2dv-9ktp-w4hc-z6nb-e8ys-3rgf-u5jk',
  'Hunter2-the-Password-of-Alice',
  'tunnel-Secret-kXw93jf7',
  'nats-Password-pQ8rT2',
];
const LEAK_CHARACTERS = 10;

const CONFIG = `
node: gw1
stateDir: /var/lib/culvert
listen:
  - name: main
    addresses: ["192.0.2.1", "2001:db8::1"]
    forceEncapsulation: true
psks:
  - { name: office, secret: "${SECRETS[0]}", remotes: [198.51.100.0/24] }
ike:
  legacy: { 3des: true, modp1024: true }
  dpd: { intervalSeconds: 30, timeoutSeconds: 120 }
esp: { lifetimeSeconds: 3600, pfs: if-offered }
l2tp:
  hostName: culvert
  tunnelSecret: "${SECRETS[2]}"
ppp: { mru: 1400, authentication: [ms-chap-v2, pap], dns: [10.0.0.53] }
pool: { ipv4: 10.98.0.0/22, gateway4: 10.98.0.1, ipv6: "2001:db8:1::/48" }
users:
  - name: alice
    password: "${SECRETS[1]}"
    ipv4: 10.98.0.50
routes: { corporate: [10.0.0.0/8] }
edge: { workers: 2, tun: culvert0, snat: true }
nats:
  url: nats://127.0.0.1:4222
  user: culvert
  password: "${SECRETS[3]}"
telemetry: { logLevel: debug, sampling: 0.5 }
`;

const HASH = `$argon2id$v=19$m=19456,t=2,p=1$${'c2FsdHNhbHRzYWx0c2FsdA'}$${'A'.repeat(43)}`;
const USERS = `
version: 1
users:
  - name: alice
    password: ${HASH}
    ntHash: ${'bnRIYXNoQ2FuYXJ5'.repeat(5)}
    chapSecret: ${'Y2hhcFNlY3JldENhbmFyeQ'.repeat(4)}
    ipv4: 10.98.0.50
    sessionTimeoutSeconds: 600
    disabled: false
`;
const USERS_SECRETS = ['bnRIYXNoQ2FuYXJ5bnRI', 'Y2hhcFNlY3JldENhbmFy', 'c2FsdHNhbHRzYWx0'];

const SCALARS = [
  '',
  '~',
  'true',
  '-1',
  '0',
  '1e999',
  '.nan',
  '""',
  '[]',
  '{}',
  '*a',
  '&a x',
  '!!binary x',
  '|',
  '>',
];
const MARKS = [
  ':',
  ' ',
  '"',
  "'",
  '-',
  '#',
  '{',
  '}',
  '[',
  ']',
  ',',
  '\n',
  '\t',
  '\u0000',
  '\u2028',
  '%',
  '@',
  '`',
  '*',
  '&',
  '<<: ',
];

const pick = <T>(chance: Chance, from: readonly T[]): T => from[chance.below(from.length)] as T;

/** Mistakes of an editor's hand and worse, in text. */
function mistaken(chance: Chance, text: string): string {
  const at = chance.below(text.length + 1);
  const lines = text.split('\n');
  const line = chance.below(lines.length);
  switch (chance.below(11)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1 + chance.below(4));
    case 1:
      return text.slice(0, at) + pick(chance, MARKS) + text.slice(at);
    case 2:
      return lines.toSpliced(line, 1).join('\n');
    case 3:
      return lines.toSpliced(line, 0, lines[line] ?? '').join('\n');
    case 4:
      return lines.with(line, `${' '.repeat(chance.below(7))}${(lines[line] ?? '').trimStart()}`).join('\n');
    case 5:
      return lines.with(line, (lines[line] ?? '').replace(/: .*/, `: ${pick(chance, SCALARS)}`)).join('\n');
    case 6:
      return lines.with(line, (lines[line] ?? '').replace(/:/, '')).join('\n');
    case 7:
      return lines.with(line, (lines[line] ?? '').replaceAll('"', '')).join('\n');
    case 8:
      return text.slice(0, at);
    case 9:
      return lines
        .with(
          line,
          (lines[line] ?? '').replace(/\d+/, () => String(chance.below(2 ** 32))),
        )
        .join('\n');
    default:
      return lines.with(line, `${lines[line]}${lines[(line + 1) % lines.length]}`).join('\n');
  }
}

function damaged(chance: Chance, text: string): string {
  let result = text;
  for (let steps = 1 + chance.below(4); steps > 0; steps -= 1) result = mistaken(chance, result);
  return result;
}

function requireNone(secrets: readonly string[], shown: string): void {
  for (const secret of secrets) {
    for (let at = 0; at + LEAK_CHARACTERS <= secret.length; at += 1) {
      if (shown.includes(secret.slice(at, at + LEAK_CHARACTERS))) throw new Error(`a secret shows: ${shown}`);
    }
  }
}

function configRound(chance: Chance): void {
  const text = damaged(chance, CONFIG);
  try {
    requireNone(SECRETS, printConfig(parseConfig(text, '/nonexistent')));
  } catch (error) {
    if (!(error instanceof ConfigFaults)) throw new Error(text, { cause: error });
    try {
      requireNone(SECRETS, [error.message, ...error.faults.map(faultText)].join('\n'));
    } catch (leak) {
      throw new Error(text, { cause: leak });
    }
    if (error.faults.length === 0) throw new Error('refused without a fault', { cause: text });
  }
}

const folder = mkdtempSync(join(tmpdir(), 'culvert-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true }));

function usersRound(chance: Chance): void {
  const path = join(folder, 'users.yaml');
  const text = damaged(chance, USERS);
  writeFileSync(path, text, { mode: 0o600 });
  try {
    const read = readUsersFile(path);
    if (read.ok) return;
    if (read.faults.length === 0) throw new Error('refused without a fault');
    requireNone(USERS_SECRETS, JSON.stringify(read.faults));
  } catch (error) {
    throw new Error(text, { cause: error });
  }
}

describe('files of the operator', () => {
  test('configuration: faults as such, no secret in them', { timeout: FUZZ_TIMEOUT_MS }, () => {
    fuzz('configuration', roundsOf(0.25), configRound);
  });

  test('users file: faults as such, no secret in them', { timeout: FUZZ_TIMEOUT_MS }, () => {
    fuzz('users file', roundsOf(0.25), usersRound);
  });
});
