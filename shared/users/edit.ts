import { mkdir, open, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ntPasswordHash, type OctetSealer, placeOf } from '@culvert/crypto';
import { isIpv4, isUserName, PASSWORD_CHARACTERS_MAX, type UserEntry } from './entry.ts';
import { hashPassword } from './password-hash.ts';
import { readUsersFile, type UsersFault, writeUsersFile } from './users-file.ts';

/** Two commands at once wait for each other, and a lock left by a killed one goes stale. */
const LOCK_TRIES = 50;
const LOCK_WAIT_MS = 100;
const LOCK_STALE_MS = 30_000;

export interface NewUser {
  readonly name: string;
  readonly password: string;
  /** Also keep what CHAP-MD5 needs: the password itself, sealed. */
  readonly chap?: boolean;
  readonly ipv4?: string;
  readonly sessionTimeoutSeconds?: number;
  readonly disabled?: boolean;
}

/** What `culvert user list` shows: nothing that helps to log in. */
export interface ListedUser {
  readonly name: string;
  readonly methods: readonly ('ms-chap-v2' | 'chap-md5' | 'pap')[];
  readonly ipv4?: string;
  readonly sessionTimeoutSeconds?: number;
  readonly disabled: boolean;
}

/** The users file as it stands is refused; it is left untouched. */
export class UsersFileRefused extends Error {
  override readonly name = 'UsersFileRefused';
  readonly faults: readonly UsersFault[];
  constructor(path: string, faults: readonly UsersFault[]) {
    super(faults.map(({ field, problem, remedy }) => `${path}: ${field} ${problem}; ${remedy}`).join('\n'));
    this.faults = faults;
  }
}

/** The new user's own fields are wrong. */
export class UserRefused extends Error {
  override readonly name = 'UserRefused';
}

/** Adds the user, or replaces the one of that name. */
export async function addUser(
  path: string,
  sealer: OctetSealer,
  user: NewUser,
): Promise<'added' | 'replaced'> {
  checkNewUser(user);
  const entry = await entryOf(sealer, user);
  return change(path, (users) => {
    const taken = users.find(
      (other) => other.name !== user.name && other.ipv4 !== undefined && other.ipv4 === user.ipv4,
    );
    if (taken !== undefined) throw new UserRefused(`ipv4: ${user.ipv4} belongs to ${taken.name}`);
    const others = users.filter((other) => other.name !== user.name);
    const outcome = others.length === users.length ? 'added' : 'replaced';
    return { users: [...others, entry], outcome };
  });
}

export async function removeUser(path: string, name: string): Promise<'removed' | 'absent'> {
  return change(path, (users) => {
    const others = users.filter((other) => other.name !== name);
    return { users: others, outcome: others.length === users.length ? 'absent' : 'removed' };
  });
}

export async function listUsers(path: string): Promise<readonly ListedUser[]> {
  const read = readUsersFile(path);
  if (!read.ok) throw new UsersFileRefused(path, read.faults);
  return read.document.users.map(({ name, ipv4, sessionTimeoutSeconds, disabled, chapSecret }) => ({
    name,
    methods: chapSecret === undefined ? ['ms-chap-v2', 'pap'] : ['ms-chap-v2', 'chap-md5', 'pap'],
    ...(ipv4 === undefined ? {} : { ipv4 }),
    ...(sessionTimeoutSeconds === undefined ? {} : { sessionTimeoutSeconds }),
    disabled: disabled ?? false,
  }));
}

/** Bound to the name: an entry copied to another user does not open. */
export function userSecretPlace(name: string, what: 'nt-hash' | 'chap-secret'): string {
  return placeOf('users', 'user', what, name);
}

function checkNewUser(user: NewUser): void {
  if (!isUserName(user.name)) throw new UserRefused('name: use 1 to 128 characters, no control characters');
  if (user.password === '') throw new UserRefused('password: may not be empty');
  if (user.password.length > PASSWORD_CHARACTERS_MAX) {
    throw new UserRefused(`password: at most ${PASSWORD_CHARACTERS_MAX} characters (RFC 2759 §8)`);
  }
  if (user.ipv4 !== undefined && !isIpv4(user.ipv4))
    throw new UserRefused('ipv4: write an address such as 10.98.0.50');
}

async function entryOf(sealer: OctetSealer, user: NewUser): Promise<UserEntry> {
  const seal = (what: 'nt-hash' | 'chap-secret', octets: Uint8Array) =>
    Buffer.from(sealer.seal(userSecretPlace(user.name, what), octets)).toString('base64');
  const password = await hashPassword(user.password);
  return {
    name: user.name,
    password,
    ntHash: seal('nt-hash', ntPasswordHash(user.password)),
    ...(user.chap === true
      ? { chapSecret: seal('chap-secret', new TextEncoder().encode(user.password)) }
      : {}),
    ...(user.ipv4 === undefined ? {} : { ipv4: user.ipv4 }),
    ...(user.sessionTimeoutSeconds === undefined
      ? {}
      : { sessionTimeoutSeconds: user.sessionTimeoutSeconds }),
    ...(user.disabled === true ? { disabled: true } : {}),
  };
}

async function change<T>(
  path: string,
  edit: (users: readonly UserEntry[]) => { readonly users: readonly UserEntry[]; readonly outcome: T },
): Promise<T> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const release = await lock(`${path}.lock`);
  try {
    const read = readUsersFile(path);
    if (!read.ok) throw new UsersFileRefused(path, read.faults);
    const { users, outcome } = edit(read.document.users);
    await writeUsersFile(path, { version: 1, users: [...users] });
    return outcome;
  } finally {
    await release();
  }
}

async function lock(path: string): Promise<() => Promise<void>> {
  for (let attempt = 0; attempt < LOCK_TRIES; attempt += 1) {
    try {
      await (await open(path, 'wx', 0o600)).close();
      return () => unlink(path).catch(() => undefined);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const held = await stat(path).catch(() => undefined);
    if (held !== undefined && Date.now() - held.mtimeMs > LOCK_STALE_MS)
      await unlink(path).catch(() => undefined);
    else await new Promise((resolve) => setTimeout(resolve, LOCK_WAIT_MS));
  }
  throw new UserRefused(`another command is changing the users; if none is running, remove ${path}`);
}
