import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSealer, Secret } from '@culvert/crypto';
import { memoryTelemetry } from '@culvert/telemetry';
import { addUser, removeUser } from '@culvert/users';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Directory, openDirectory } from './directory.ts';

const sealer = createSealer({ current: new Secret(new Uint8Array(32).fill(1)), earlier: [] });

describe('directory', () => {
  let folder = '';
  let usersFile = '';
  let directory: Directory | undefined;
  const telemetry = memoryTelemetry('aaa');
  const open = (users: readonly { name: string; password: Secret; chap: boolean }[] = []) => {
    directory = openDirectory({ config: { users: [...users], usersFile }, sealer, telemetry });
    return directory;
  };
  const messages = (level: string) =>
    telemetry.lines.filter((line) => line.level === level).map(({ message }) => message);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'culvert-directory-'));
    usersFile = join(folder, 'users.yaml');
  });
  afterEach(async () => {
    directory?.close();
    await rm(folder, { recursive: true });
  });

  test('follows the file: users come, change and go while it runs', async () => {
    const users = open();
    expect(users.size).toBe(0);
    await addUser(usersFile, sealer, { name: 'alice', password: 'one' });
    await vi.waitFor(() => expect(users.find('alice')).toBeDefined());
    expect(users.anyChap).toBe(false);
    await addUser(usersFile, sealer, { name: 'alice', password: 'two', chap: true, ipv4: '10.98.0.9' });
    await vi.waitFor(() => expect(users.anyChap).toBe(true));
    expect([...users.fixed]).toEqual(['10.98.0.9']);
    expect(await users.find('DOMAIN\\alice')?.hasPassword('two')).toBe(true);
    expect(await users.find('alice')?.hasPassword('one')).toBe(false);
    await removeUser(usersFile, 'alice');
    await vi.waitFor(() => expect(users.find('alice')).toBeUndefined());
  });

  test('a bad file leaves the running set, and says field, problem and remedy once read', async () => {
    await addUser(usersFile, sealer, { name: 'alice', password: 'one' });
    const users = open();
    const good = await readFile(usersFile, 'utf8');
    await appendFile(usersFile, '  - name: eve\n    password: canary-in-the-clear\n');
    await vi.waitFor(() => expect(users.faults.length).toBeGreaterThan(0));
    expect(users.find('alice')).toBeDefined();
    expect(telemetry.lines.at(-1)?.fields).toMatchObject({
      file: usersFile,
      field: expect.stringContaining('users[1]'),
    });
    expect(JSON.stringify(telemetry.lines)).not.toContain('canary');
    await writeFile(usersFile, '');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(users.find('alice')).toBeDefined();
    await writeFile(usersFile, good, { mode: 0o600 });
    await vi.waitFor(() => expect(users.faults).toEqual([]));
  });

  test('secrets sealed under another key are a fault that says so', async () => {
    await addUser(usersFile, createSealer({ current: Secret.random(32), earlier: [] }), {
      name: 'alice',
      password: 'one',
    });
    const users = open();
    expect(users.faults[0]?.remedy).toContain('key file');
    expect(users.size).toBe(0);
  });

  test('users of the configuration work without any file and win over it', async () => {
    await addUser(usersFile, sealer, { name: 'alice', password: 'file' });
    const users = open([{ name: 'alice', password: Secret.fromText('inline'), chap: true }]);
    expect(await users.find('alice')?.hasPassword('inline')).toBe(true);
    expect(await users.find('alice')?.hasPassword('file')).toBe(false);
    expect(messages('warn')).toContain(
      'user stands in the configuration and in the users file; the configuration counts',
    );
  });

  test('a folder that does not exist is no fault', () => {
    usersFile = join(folder, 'nowhere', 'users.yaml');
    expect(open([{ name: 'bob', password: Secret.fromText('x'), chap: false }]).size).toBe(1);
  });
});
