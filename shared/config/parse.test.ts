import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  ConfigFaults,
  configSchemaJson,
  type Fault,
  loadConfig,
  parseConfig,
  printConfig,
  secretFilesOf,
} from './index.ts';

const KEY = 'q7ma-x2dv-9ktp-w4hc-z6nb-e8ys-3rgf-u5jk';
const OTHER_KEY = 'm4tz-c8wk-2xhq-r9dj-f3vn-y6pb-7gsa-e5ku';
const folder = mkdtempSync(join(tmpdir(), 'culvert-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function written(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function faultsOf(text: string): readonly Fault[] {
  try {
    parseConfig(text, folder);
  } catch (error) {
    if (error instanceof ConfigFaults) return error.faults;
    throw error;
  }
  return [];
}

const psks = `psks: [{ name: office, secret: "${KEY}" }]`;

test('of a value of the wrong kind nothing else is said', () => {
  expect(faultsOf(`${psks}\nppp: { dns: 10.0.0.53 }`)).toMatchObject([
    { field: 'ppp.dns', problem: 'must be a list (`- item` lines, or [a, b])' },
  ]);
});

test('which files hold secrets', () => {
  const file = written(
    'with-files.yaml',
    'psks: [{ name: a, secretFile: a.psk }, { name: b, secret: x }]\nusers: [{ name: u, passwordFile: /etc/u }]\n',
  );
  expect(secretFilesOf(file)).toEqual([join(folder, 'a.psk'), '/etc/u', file]);
  expect(secretFilesOf(written('others.yaml', 'psks: [{ name: a, secretFile: a.psk }]'))).toEqual([
    join(folder, 'a.psk'),
  ]);
});

describe('a small file', () => {
  const config = parseConfig(psks, folder);

  test('gets every default', () => {
    expect(config.listen).toMatchObject([{ name: 'main', addresses: ['0.0.0.0', '::'], ikePort: 500 }]);
    expect(config.pool).toEqual({ ipv4: '10.98.0.0/22', gateway4: '10.98.0.1' });
    expect(config.ike.legacy).toEqual({ '3des': false, modp1024: false, modp1536: false });
    expect(config.nats).toEqual({ embedded: true });
    expect(config.edge.workers).toBeGreaterThan(0);
    expect(config.node).toMatch(/^[A-Za-z0-9][A-Za-z0-9_-]*$/);
  });

  test('keeps its key as octets, and opaque', () => {
    expect(new TextDecoder().decode(config.psks[0]?.secret.expose())).toBe(KEY);
    expect(printConfig(config)).not.toContain(KEY);
    expect(printConfig(config)).toContain('secret: "[secret]"');
  });
});

describe('secrets', () => {
  test('come from a file, without its line end', () => {
    written('office.psk', `${KEY}\r\n`);
    const config = parseConfig('psks: [{ name: office, secretFile: office.psk }]', folder);
    expect(new TextDecoder().decode(config.psks[0]?.secret.expose())).toBe(KEY);
  });

  test('may be any octets', () => {
    const octets = Uint8Array.from({ length: 32 }, (_, index) => (index * 89 + 7) & 0xff);
    written('binary.psk', octets);
    const config = parseConfig('psks: [{ name: office, secretFile: binary.psk }]', folder);
    expect(config.psks[0]?.secret.expose()).toEqual(octets);
  });

  test.each([
    ['{ name: a }', 'psks[0].secret', 'is missing'],
    ['{ name: a, secret: "" }', 'psks[0].secret', 'is empty'],
    ['{ name: a, secretFile: none.psk }', 'psks[0].secretFile', 'names a file that cannot be read: ENOENT'],
    ['{ name: a, secretFile: empty.psk }', 'psks[0].secretFile', 'names an empty file'],
    ['{ name: a, secretFile: large.psk }', 'psks[0].secretFile', 'names a file of more than 4096 octets'],
    [
      `{ name: a, secret: "${KEY}", secretFile: empty.psk }`,
      'psks[0].secret',
      'is given twice, also as secretFile',
    ],
    ['{ name: a, secret: 1234 }', 'psks[0].secret', 'must be text'],
  ])('%s', (psk, field, problem) => {
    written('empty.psk', '\n');
    written('large.psk', 'x'.repeat(5000));
    expect(faultsOf(`psks:\n  - ${psk}`)).toMatchObject([{ field, problem, line: 2 }]);
  });
});

describe('each class of fault', () => {
  test.each<[text: string, field: string, problem: string, value?: string]>([
    ['ike: { lifetimeSeconds: 5 }', 'ike.lifetimeSeconds', 'is too small', '5'],
    ['ike: { lifetimeSeconds: 1e9 }', 'ike.lifetimeSeconds', 'is too large', '1000000000'],
    ['ike: { lifetimeSeconds: 400.5 }', 'ike.lifetimeSeconds', 'must be a whole number', '400.5'],
    ['ike: { lifetimeSeconds: long }', 'ike.lifetimeSeconds', 'must be a number', '"long"'],
    ['ike: []', 'ike', 'must be a section (`key: value` lines)'],
    ['users: { bob: x }', 'users', 'must be a list (`- item` lines, or [a, b])'],
    ['edge: { snat: maybe }', 'edge.snat', 'must be true or false', '"maybe"'],
    ['telemetry: { logLevel: loud }', 'telemetry.logLevel', 'is not one of the choices', '"loud"'],
    ['telemetry: { prometheus: "9464" }', 'telemetry.prometheus', 'is not an address and port', '"9464"'],
    ['telemetry: { otlp: "ftp://a" }', 'telemetry.otlp', 'is not a URL of the expected kind', '"ftp://a"'],
    ['ppp: { dns: [10.0.0] }', 'ppp.dns[0]', 'is not an IPv4 address', '"10.0.0"'],
    ['ppp: { dns6: [fe80] }', 'ppp.dns6[0]', 'is not an IPv6 address', '"fe80"'],
    ['pool: { ipv4: 10.98.0.1/22 }', 'pool.ipv4', 'is not an IPv4 prefix', '"10.98.0.1/22"'],
    ['node: "a.b"', 'node', 'is not a plain name', '"a.b"'],
    [
      'edge: { tun: "a-very-long-name-indeed" }',
      'edge.tun',
      'is not an interface name',
      '"a-very-long-name-indeed"',
    ],
    ['pol: { ipv4: 10.0.0.0/8 }', 'pol', 'is not a known key'],
    ['l2tp: { helo_idle_seconds: 10 }', 'l2tp.helo_idle_seconds', 'is not a known key'],
  ])('%s', (text, field, problem, value) => {
    const faults = faultsOf(`${psks}\n${text}`);
    expect(faults).toMatchObject([{ field, problem, line: 2, ...(value === undefined ? {} : { value }) }]);
    expect(faults[0]?.remedy).not.toBe('');
  });

  test('a key close to a known one gets a suggestion', () => {
    expect(faultsOf(`${psks}\nl2tp: { helo_idle_seconds: 10 }`)[0]?.remedy).toBe(
      'did you mean helloIdleSeconds?',
    );
    expect(faultsOf(`${psks}\nlisen: []`)[0]?.remedy).toBe('did you mean listen?');
  });

  test('a PSK per identity says why it cannot be', () => {
    const faults = faultsOf(`psks: [{ name: a, secret: "${KEY}", identity: bob }]`);
    expect(faults).toMatchObject([
      { field: 'psks[0].identity', problem: expect.stringContaining('Main Mode cannot know') },
    ]);
  });

  test('all are reported at once, in the order of the file', () => {
    const faults = faultsOf(
      ['pool: { ipv4: 10.0.0.0/31 }', 'psks: [{ name: a, secret: vpn }]', 'ike: { x: 1 }', 'nats: 3'].join(
        '\n',
      ),
    );
    expect(faults.map(({ field, line }) => [field, line])).toEqual([
      ['pool.ipv4', 1],
      ['psks[0].secret', 2],
      ['ike.x', 3],
      ['nats', 4],
    ]);
  });
});

describe('files that are not configurations', () => {
  test.each([
    ['', 'must be a section (`key: value` lines)'],
    ['just words', 'must be a section (`key: value` lines)'],
    ['a: [', 'is indented wrongly'],
    ['a: 1\na: 2', 'has a key twice in one section'],
    ['a: 1\n---\nb: 2', 'holds more than one document'],
    ['a: @b', 'has a value that must be in quotes'],
    ['a: *b', 'uses an alias that cannot be resolved'],
  ])('%j', (text, problem) => {
    expect(faultsOf(text)[0]?.problem).toBe(problem);
  });

  test('aliases cannot blow a file up', () => {
    const levels = Array.from(
      { length: 9 },
      (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(',')}]`,
    );
    expect(faultsOf(['l0: &l0 [x]', ...levels].join('\n'))[0]?.problem).toBe(
      'uses an alias that cannot be resolved',
    );
  });

  test('an absent file names its path and what to do', () => {
    expect(() => loadConfig(join(folder, 'none.yaml'))).toThrow(
      /none\.yaml: 1 fault\n {2}cannot be read: ENOENT; name a readable/,
    );
  });

  test('an unreadable folder is a fault, not a crash', () => {
    chmodSync(folder, 0o700);
    expect(() => loadConfig(folder)).toThrow(/cannot be read: EISDIR/);
  });
});

test('paths are relative to the file', () => {
  written('office.psk', OTHER_KEY);
  const config = loadConfig(
    written('culvert.yaml', 'stateDir: state\npsks: [{ name: a, secretFile: office.psk }]'),
  );
  expect(config.stateDir).toBe(join(folder, 'state'));
  expect(config.usersFile).toBe(join(folder, 'state', 'users.yaml'));
});

test('the JSON Schema describes every field', () => {
  const schema = configSchemaJson() as { properties: Record<string, unknown>; required: string[] };
  expect(Object.keys(schema.properties)).toEqual(
    expect.arrayContaining(['listen', 'psks', 'pool', 'telemetry']),
  );
  expect(schema.required).toEqual(['psks']);
});
