import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSealer, ntPasswordHash, Secret } from '@culvert/crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { addUser, listUsers, removeUser, UserRefused, UsersFileRefused, userSecretPlace } from './edit.ts';
import { hashPassword, isPasswordHash, verifyNothing, verifyPassword } from './password-hash.ts';
import { parseUsers, readUsersFile } from './users-file.ts';

const sealer = createSealer({ current: new Secret(new Uint8Array(32).fill(3)), earlier: [] });

describe('argon2id', () => {
  test('verifies what it hashed, with a salt of its own each time', async () => {
    const [one, two] = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(one).not.toBe(two);
    expect(await verifyPassword('correct horse', one)).toBe(true);
    expect(await verifyPassword('correct horsf', one)).toBe(false);
    expect(await verifyPassword('', one)).toBe(false);
    expect(await verifyNothing('correct horse')).toBe(false);
  });

  test('reads the form of the reference implementation', async () => {
    // RFC 9106 reference tool: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -l 32
    const phc = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
    expect(await verifyPassword('password', phc)).toBe(true);
    expect(await verifyPassword('passwore', phc)).toBe(false);
  });

  test('asks no more of the machine than it should', () => {
    const phc = (m: string, t: string, p: string) =>
      `$argon2id$v=19$m=${m},t=${t},p=${p}$c29tZXNhbHRzb21l$${'A'.repeat(43)}`;
    expect(isPasswordHash(phc('19456', '2', '1'))).toBe(true);
    for (const [m, t, p] of [
      ['9999999', '2', '1'],
      ['19456', '99', '1'],
      ['19456', '2', '64'],
      ['4', '1', '1'],
      ['19456', '0', '1'],
    ] as const) {
      expect(isPasswordHash(phc(m, t, p))).toBe(false);
    }
    for (const other of [
      '',
      'plain',
      '$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21l$AAAA',
      '$2b$12$abcdefghijk',
    ]) {
      expect(isPasswordHash(other)).toBe(false);
    }
  });
});

describe('a broken users file', () => {
  test('that is not YAML says where it stops being that', () => {
    expect(parseUsers('version: 1\nusers: [{name: bob\n')).toMatchObject({
      faults: [{ field: '(file)', problem: expect.stringMatching(/^is not YAML from line [23] on$/) }],
    });
  });

  test('says what is wrong with a field, and then what to do', () => {
    const text = 'version: 1\nusers: [{ name: bob, password: hunter2, ntHash: abc }]\n';
    expect(parseUsers(text)).toMatchObject({
      faults: [
        {
          field: 'users[0].password',
          problem: 'is not an argon2id hash',
          remedy: 'set it with: culvert user add',
        },
        { field: 'users[0].ntHash', problem: 'is not a sealed value', remedy: 'set the password again' },
      ],
    });
  });
});

describe('users file', () => {
  let folder = '';
  let path = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'culvert-users-'));
    path = join(folder, 'users.yaml');
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('add, replace, list, remove', async () => {
    expect(await listUsers(path)).toEqual([]);
    expect(await addUser(path, sealer, { name: 'alice', password: 'pa55' })).toBe('added');
    expect(
      await addUser(path, sealer, { name: 'bob', password: 'pb55', chap: true, ipv4: '10.98.0.50' }),
    ).toBe('added');
    expect(await addUser(path, sealer, { name: 'alice', password: 'new', disabled: true })).toBe('replaced');
    expect(await listUsers(path)).toEqual([
      { name: 'bob', methods: ['ms-chap-v2', 'chap-md5', 'pap'], ipv4: '10.98.0.50', disabled: false },
      { name: 'alice', methods: ['ms-chap-v2', 'pap'], disabled: true },
    ]);
    expect(await removeUser(path, 'alice')).toBe('removed');
    expect(await removeUser(path, 'alice')).toBe('absent');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['users.yaml']);
  });

  test('holds no secret in the clear, and what is sealed belongs to its user', async () => {
    await addUser(path, sealer, { name: 'carol', password: 'canary-password', chap: true });
    const text = await readFile(path, 'utf8');
    const ntHash = Buffer.from(ntPasswordHash('canary-password'));
    for (const form of [
      'canary',
      Buffer.from('canary-password').toString('base64'),
      ntHash.toString('hex'),
      ntHash.toString('base64'),
    ]) {
      expect(text).not.toContain(form);
    }
    const [user] = (parse(text) as { users: { ntHash: string }[] }).users;
    const sealed = Buffer.from(user?.ntHash ?? '', 'base64');
    expect(sealer.open(userSecretPlace('carol', 'nt-hash'), sealed)).toEqual(
      ntPasswordHash('canary-password'),
    );
    expect(() => sealer.open(userSecretPlace('carom', 'nt-hash'), sealed)).toThrow();
    expect(() => sealer.open(userSecretPlace('carol', 'chap-secret'), sealed)).toThrow();
  });

  test('commands at once lose nobody', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `user${index}`);
    await Promise.all(names.map((name) => addUser(path, sealer, { name, password: name })));
    expect((await listUsers(path)).map((user) => user.name).sort()).toEqual(names);
  });

  test('refuses what could not log in or would clash', async () => {
    await addUser(path, sealer, { name: 'dan', password: 'x', ipv4: '10.98.0.7' });
    const refused = [
      { name: '', password: 'x' },
      { name: 'a\nb', password: 'x' },
      { name: 'a\0b', password: 'x' },
      { name: 'x'.repeat(129), password: 'x' },
      { name: '\ud800', password: 'x' },
      { name: 'ok', password: '' },
      { name: 'ok', password: 'x'.repeat(257) },
      { name: 'ok', password: 'x', ipv4: '10.98.0.700' },
      { name: 'ok', password: 'x', ipv4: '10.98.0.7' },
    ];
    for (const user of refused) await expect(addUser(path, sealer, user)).rejects.toThrow(UserRefused);
    expect((await listUsers(path)).map((user) => user.name)).toEqual(['dan']);
  });

  test('a bad file is left as it is', async () => {
    await writeFile(path, 'version: 1\nusers:\n  - name: eve\n    passwort: canary-secret\n', {
      mode: 0o600,
    });
    const failure = await addUser(path, sealer, { name: 'x', password: 'x' }).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(UsersFileRefused);
    expect(String(failure)).not.toContain('canary');
    expect(await readFile(path, 'utf8')).toContain('passwort');
  });

  test('a file others can read is refused', async () => {
    await addUser(path, sealer, { name: 'dan', password: 'x' });
    await chmod(path, 0o644);
    expect(readUsersFile(path)).toMatchObject({ ok: false, faults: [{ remedy: `chmod 600 ${path}` }] });
  });
});

describe('faults name field, value and remedy, never a secret', () => {
  const hash = `$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21l$${'A'.repeat(43)}`;
  const good = { name: 'a', password: hash, ntHash: 'A'.repeat(88) };
  const cases: readonly (readonly [string, unknown, string])[] = [
    ['not YAML', ': : : [', '(file)'],
    ['an alias bomb', 'a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]', '(file)'],
    ['a list', [], '(file)'],
    ['another version', { version: 2, users: [] }, 'version'],
    ['a clear password', { version: 1, users: [{ ...good, password: 'canary' }] }, 'users[0].password'],
    ['a clear NT hash', { version: 1, users: [{ ...good, ntHash: 'canary' }] }, 'users[0].ntHash'],
    ['an unknown field', { version: 1, users: [{ ...good, canary: 'canary-value' }] }, 'users[0]'],
    [
      'a line that lost its colon',
      { version: 1, users: [{ ...good, 'ntHash canary-value': '' }] },
      'users[0]',
    ],
    ['a control character', { version: 1, users: [{ ...good, name: 'a\u0007' }] }, 'users[0].name'],
    ['a name twice', { version: 1, users: [good, good] }, 'users[1].name'],
    [
      'an address twice',
      {
        version: 1,
        users: [
          { ...good, ipv4: '10.0.0.9' },
          { ...good, name: 'b', ipv4: '10.0.0.9' },
        ],
      },
      'users[1].ipv4',
    ],
    ['a bad address', { version: 1, users: [{ ...good, ipv4: '10.0.0' }] }, 'users[0].ipv4'],
  ];
  for (const [name, content, field] of cases) {
    test(name, () => {
      const read = parseUsers(typeof content === 'string' ? content : JSON.stringify(content));
      expect(read.ok).toBe(false);
      if (read.ok) return;
      expect(read.faults.map((fault) => fault.field)).toContain(field);
      expect(read.faults.every((fault) => fault.remedy !== '')).toBe(true);
      expect(JSON.stringify(read.faults)).not.toContain('canary-value');
    });
  }

  test('an empty list is a good file, an empty file is not', () => {
    expect(parseUsers('version: 1\nusers: []\n')).toEqual({ ok: true, document: { version: 1, users: [] } });
    expect(parseUsers('\n').ok).toBe(false);
  });
});
