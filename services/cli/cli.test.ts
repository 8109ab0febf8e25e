import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { newPsk } from '@culvert/config';
import { afterAll, describe, expect, test } from 'vitest';
import { report } from './terminal.ts';

const CULVERT = fileURLToPath(new URL('culvert', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'culvert-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly error: string;
}

// A colour is forced or forbidden by these; the command shall decide.
delete process.env.FORCE_COLOR;
delete process.env.NO_COLOR;

async function culvert(args: readonly string[], given = ''): Promise<Ran> {
  const child = spawn(CULVERT, args, {
    env: { ...process.env, CULVERT_HOME: join(folder, 'home') },
  });
  child.stdin.end(given);
  const [out, error, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((settle) => child.once('close', settle)),
  ]);
  return { status, out, error };
}

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const PSK = newPsk();
const good = file(
  'good.yaml',
  `stateDir: state\npsks: [{ name: a, secret: ${PSK} }]\nusers: [{ name: inline, password: geheim, ipv4: 10.98.0.77 }]\n`,
);
const wrong = file(
  'wrong.yaml',
  'psks: [{ name: a, secret: hunter2hunter2 }]\nedge: { snatt: true }\nppp: { mru: 9 }\n',
);

describe('psk new', () => {
  test('prints a key that the configuration takes', async () => {
    const { status, out } = await culvert(['psk', 'new']);
    expect(status).toBe(0);
    expect(
      (await culvert(['config', 'check', file('psk.yaml', `psks: [{ name: a, secret: ${out.trim()} }]`)]))
        .status,
    ).toBe(0);
    expect(JSON.parse((await culvert(['psk', 'new', '--json'])).out)).toEqual({
      psk: expect.stringMatching(/^[a-z0-9-]{39}$/),
    });
  });

  test('into a file of its own, never over another', async () => {
    const path = join(folder, 'new.psk');
    expect((await culvert(['psk', 'new', '--file', path])).status).toBe(0);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const again = await culvert(['psk', 'new', '--file', path]);
    expect(again).toMatchObject({ status: 1, out: '' });
    expect(again.error).toContain('--file cannot be made: EEXIST');
  });
});

describe('config', () => {
  test('check finds nothing wrong', async () => {
    expect(await culvert(['config', 'check', good])).toMatchObject({
      status: 0,
      out: 'good: 1 listener, 1 PSK, pool 10.98.0.0/22\n',
    });
    expect(await culvert(['--config', good, 'config', 'check', '--json'])).toMatchObject({
      status: 0,
      out: expect.stringContaining('"ok": true'),
    });
  });

  test('check tells all faults, with line and remedy, and no secret', async () => {
    const { status, error } = await culvert(['config', 'check', wrong]);
    expect(status).toBe(78);
    expect(error).toContain('3 faults');
    expect(error).toContain(
      'line 1: psks[0].secret is shorter than 20 octets; make one with `culvert psk new`',
    );
    expect(error).toContain('line 2: edge.snatt is not a known key; did you mean snat?');
    expect(error).toContain('line 3: ppp.mru is too small (9); the least is 576');
    expect(error).not.toContain('hunter2');

    const json = await culvert(['config', 'check', wrong, '--json']);
    expect(json.status).toBe(78);
    expect(JSON.parse(json.out).error.faults).toHaveLength(3);
    expect(json.out).not.toContain('hunter2');
  });

  test('print shows the effective settings without secrets', async () => {
    const { out } = await culvert(['config', 'print', good]);
    expect(out).toContain('outerMtu: 1500');
    expect(out).not.toContain(PSK);
    expect(out).not.toContain('geheim');
    const json = JSON.parse((await culvert(['config', 'print', good, '--json'])).out);
    expect(json).toMatchObject({
      stateDir: join(folder, 'state'),
      psks: [{ name: 'a', secret: '[secret]' }],
    });
  });

  test('schema is JSON Schema', async () => {
    expect(JSON.parse((await culvert(['config', 'schema'])).out)).toMatchObject({
      type: 'object',
      required: ['psks'],
    });
  });
});

describe('user', () => {
  const at = ['--config', good];

  test('add, list, change, remove', async () => {
    const password = file('password', 'correct horse\nsecond line\n');
    expect(await culvert([...at, 'user', 'add', 'alice', '--password-file', password])).toMatchObject({
      status: 0,
      out: 'alice added\n',
    });
    const added = await culvert([
      ...at,
      'user',
      'add',
      'bob',
      '--generate',
      '--chap',
      '--ipv4',
      '10.98.0.50',
      '--json',
    ]);
    expect(JSON.parse(added.out)).toEqual({
      name: 'bob',
      outcome: 'added',
      password: expect.stringMatching(/^[a-z2-9-]{19}$/),
    });
    const again = await culvert([...at, 'user', 'add', 'alice', '--password-file', '-'], 'from stdin\n');
    expect(again).toMatchObject({ status: 0, out: 'alice has a new password\n' });

    const listed = JSON.parse((await culvert([...at, 'user', 'list', '--json'])).out);
    expect(listed).toEqual([
      {
        name: 'inline',
        methods: ['ms-chap-v2', 'pap'],
        ipv4: '10.98.0.77',
        disabled: false,
        from: 'configuration',
      },
      { name: 'alice', methods: ['ms-chap-v2', 'pap'], disabled: false, from: 'users file' },
      {
        name: 'bob',
        methods: ['ms-chap-v2', 'chap-md5', 'pap'],
        ipv4: '10.98.0.50',
        disabled: false,
        from: 'users file',
      },
    ]);
    const kept = readFileSync(join(folder, 'state', 'users.yaml'), 'utf8');
    for (const secret of ['correct horse', 'from stdin', JSON.parse(added.out).password])
      expect(kept).not.toContain(secret);

    expect((await culvert([...at, 'user', 'remove', 'alice'])).status).toBe(0);
    expect((await culvert([...at, 'user', 'list'])).out).not.toContain('alice');
  }, 60_000);

  test('without a terminal a password is made', async () => {
    const { out } = await culvert([...at, 'user', 'add', 'carol']);
    expect(out).toMatch(/^carol added\npassword: [a-z2-9-]{19}\n$/);
  });

  test.each([
    [['remove', 'nobody'], 'NAME is no user (nobody); culvert user list shows them'],
    [
      ['add', 'inline'],
      'users[0].name stands in the configuration file (inline); change its passwordFile there',
    ],
    [['remove', 'inline'], 'users[0].name stands in the configuration file (inline); remove it there'],
    [
      ['add', 'x', '--password-file', '/none'],
      '--password-file cannot be read: ENOENT; name a file whose first line',
    ],
    [
      ['add', 'x', '--session-timeout', 'soon'],
      '--session-timeout is not a time in seconds (soon); write a whole number',
    ],
    [
      ['add', 'x', '--ipv4', '10.98.0.1'],
      '--ipv4 is the gateway, network or broadcast address of the pool (10.98.0.1); choose another one',
    ],
    [
      ['add', 'x', '--ipv4', '192.0.2.1'],
      '--ipv4 is no address of the pool 10.98.0.0/22 (192.0.2.1); choose one of it',
    ],
    [
      ['add', 'x', '--ipv4', '10.98.0.77'],
      '--ipv4 belongs to inline (10.98.0.77); give every user another one',
    ],
    [['add', 'x', '--ipv4', '10.98.0'], 'ipv4 is refused; write an address such as 10.98.0.50'],
  ])('%j', async (args, message) => {
    const { status, error } = await culvert([...at, 'user', ...args]);
    expect(status).toBe(1);
    expect(error).toContain(message);
  });
});

describe('doctor', () => {
  test('judges the machine, as text and as JSON', async () => {
    const { out } = await culvert(['doctor', '--config', good]);
    for (const what of [
      'node',
      'native addon',
      'cryptography',
      'clock',
      'privileges',
      'tun',
      'UDP ports',
      'MTU',
    ])
      expect(out).toContain(what);
    const { status, out: json } = await culvert(['doctor', '--config', good, '--json']);
    const { healthy, findings } = JSON.parse(json);
    expect(status).toBe(healthy ? 0 : 1);
    expect(findings).toContainEqual({ name: 'configuration', verdict: 'good', found: good });
  }, 60_000);

  test('secrets that others can read are a finding', async () => {
    const config = file('open.yaml', `stateDir: state\npsks: [{ name: a, secretFile: open.psk }]\n`);
    writeFileSync(join(folder, 'open.psk'), `${PSK}\n`, { mode: 0o644 });
    const { out } = await culvert(['doctor', '--config', config, '--json']);
    expect(JSON.parse(out).findings).toContainEqual({
      name: 'secret files',
      verdict: 'doubtful',
      found: `${join(folder, 'open.psk')} can be read by others`,
      remedy: `chmod 600 ${join(folder, 'open.psk')}`,
    });
    const { out: whole } = await culvert(['doctor', '--config', good, '--json']);
    expect(JSON.parse(whole).findings).toContainEqual(
      expect.objectContaining({ name: 'secret files', verdict: 'doubtful' }),
    );
  }, 60_000);

  test('without a configuration the named state directory is looked at', async () => {
    const fresh = join(folder, 'fresh');
    const { out } = await culvert(['doctor', '--state', fresh, '--json']);
    expect(JSON.parse(out).findings).toContainEqual({
      name: 'state directory',
      verdict: 'good',
      found: fresh,
    });
  }, 60_000);

  test('a faulty configuration is a finding', async () => {
    const { status, out } = await culvert(['doctor', '--config', wrong, '--json']);
    expect(status).toBe(1);
    expect(JSON.parse(out).findings[0]).toMatchObject({
      name: 'configuration',
      verdict: 'bad',
      found: expect.stringContaining('3 faults'),
    });
  }, 60_000);
});

describe('what cannot be done', () => {
  test.each([
    [['frobnicate'], 64, "unknown command 'frobnicate'"],
    [['session'], 64, "missing required argument 'id'"],
    [['status'], 1, 'the gateway does not run on this state directory'],
    [
      ['disconnect', 'ab', '--state', '/none'],
      1,
      'does not run on this state directory (/none); start it with culvert up',
    ],
    [['config', 'check', '/none.yaml'], 1, '--config names no file (/none.yaml)'],
    [['up', '--config', '/none.yaml'], 78, '/none.yaml: 1 fault'],
  ])('%j', async (args, status, message) => {
    const ran = await culvert(args);
    expect(ran.status).toBe(status);
    expect(ran.error).toContain(message);
    expect(ran.error).not.toContain('    at ');
  });

  test('--json tells field, value and remedy', async () => {
    const { status, out } = await culvert(['status', '--state', '/none', '--json']);
    expect(status).toBe(1);
    expect(JSON.parse(out).error).toMatchObject({
      field: 'the gateway',
      value: '/none',
      remedy: expect.stringContaining('culvert up'),
    });
  });

  test('--help is no failure', async () => {
    const { status, out } = await culvert(['--help']);
    expect(status).toBe(0);
    expect(out).toContain('disconnect <id>');
  });
});

test('what is forbidden comes with a remedy', () => {
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  const terminal = { json: false, interactive: false, out: say, error: say, paint: String, fail: say };
  const refused = Object.assign(new Error("EACCES: permission denied, open '/x'"), { code: 'EACCES' });
  expect(report(refused, terminal as never)).toBe(1);
  expect(said).toEqual(["EACCES: permission denied, open '/x'; run it as root, or see --state and --config"]);
});

test('no colour where nobody looks', async () => {
  const { out } = await culvert(['user', 'list', '--config', good]);
  expect(out).toBe(stripVTControlCharacters(out));
});
