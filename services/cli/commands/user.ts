import { isIPv4 } from 'node:net';
import { type Config, fixedAddressFault } from '@culvert/config';
import { createSealer, loadOrCreateKeyFile } from '@culvert/crypto';
import { newPassword } from '@culvert/service-gateway';
import { addUser, listUsers, removeUser, UserRefused } from '@culvert/users';
import { CommandFailed } from '../failure.ts';
import { configAt, type Place } from '../link.ts';
import { passwordFromFile, promptPassword } from '../password.ts';
import { printable, table } from '../table.ts';
import { answer, type Terminal } from '../terminal.ts';

export interface AddOptions {
  readonly passwordFile?: string;
  readonly generate?: boolean;
  readonly chap?: boolean;
  readonly ipv4?: string;
  readonly sessionTimeout?: string;
}

export async function userAdd(
  place: Place,
  name: string,
  options: AddOptions,
  terminal: Terminal,
): Promise<void> {
  const config = configAt(place);
  refuseInline(config, name, 'add');
  if (options.ipv4 !== undefined) refuseAddress(config, options.ipv4);
  const { password, generated } = await passwordOf(options, terminal);
  const sealer = createSealer(await loadOrCreateKeyFile(config.keyFile));
  const user = {
    name,
    password,
    chap: options.chap === true,
    ...(options.ipv4 === undefined ? {} : { ipv4: options.ipv4 }),
    ...(options.sessionTimeout === undefined
      ? {}
      : { sessionTimeoutSeconds: seconds(options.sessionTimeout) }),
  };
  const outcome = await refusing(() => addUser(config.usersFile, sealer, user));
  const shown = generated ? { password } : {};
  answer(terminal, { name, outcome, ...shown }, () =>
    [
      `${printable(name)} ${outcome === 'added' ? 'added' : 'has a new password'}`,
      ...(generated ? [`password: ${password}`] : []),
    ].join('\n'),
  );
}

export async function userList(place: Place, terminal: Terminal): Promise<void> {
  const config = configAt(place);
  const kept = await listUsers(config.usersFile);
  const inline = config.users.map(({ name, chap, ipv4 }) => ({
    name,
    methods: ['ms-chap-v2', ...(chap ? ['chap-md5'] : []), 'pap'],
    ...(ipv4 === undefined ? {} : { ipv4 }),
    disabled: false,
  }));
  const users = [
    ...inline.map((user) => ({ ...user, from: 'configuration' })),
    ...kept.map((user) => ({ ...user, from: 'users file' })).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  ];
  answer(terminal, users, () => {
    const rows = users.map(({ name, methods, ipv4, disabled, from }) => [
      printable(name),
      methods.join(', '),
      ipv4 ?? '',
      disabled ? terminal.paint('yellow', 'disabled') : '',
      from,
    ]);
    return users.length === 0
      ? 'no users'
      : table(terminal, ['USER', 'METHODS', 'ADDRESS', '', 'KEPT IN'], rows);
  });
}

export async function userRemove(place: Place, name: string, terminal: Terminal): Promise<void> {
  const config = configAt(place);
  refuseInline(config, name, 'remove');
  const outcome = await refusing(() => removeUser(config.usersFile, name));
  if (outcome === 'absent') {
    throw new CommandFailed({
      field: 'NAME',
      value: printable(name),
      problem: 'is no user',
      remedy: 'culvert user list shows them',
    });
  }
  answer(
    terminal,
    { name, outcome },
    () => `${printable(name)} removed; a session of theirs goes on: culvert disconnect ends it`,
  );
}

/** Two entries for one name would leave open which password is good. */
function refuseInline(config: Config, name: string, verb: string): void {
  const index = config.users.findIndex((user) => user.name === name);
  if (index === -1) return;
  throw new CommandFailed({
    field: `users[${index}].name`,
    value: printable(name),
    problem: 'stands in the configuration file',
    remedy: verb === 'add' ? 'change its passwordFile there' : 'remove it there',
  });
}

/** What is no address at all is for the users file to refuse; it also knows the addresses of its other users. */
function refuseAddress({ pool, users }: Config, ipv4: string): void {
  if (!isIPv4(ipv4)) return;
  const owner = users.find((user) => user.ipv4 === ipv4);
  const fault =
    owner === undefined
      ? fixedAddressFault(ipv4, pool)
      : { problem: `belongs to ${printable(owner.name)}`, remedy: 'give every user another one' };
  if (fault !== undefined) throw new CommandFailed({ field: '--ipv4', value: ipv4, ...fault });
}

async function passwordOf(
  options: AddOptions,
  terminal: Terminal,
): Promise<{ password: string; generated: boolean }> {
  if (options.passwordFile !== undefined) {
    return { password: await passwordFromFile(options.passwordFile), generated: false };
  }
  const typed = options.generate === true || !terminal.interactive ? '' : await promptPassword();
  return typed === '' ? { password: newPassword(), generated: true } : { password: typed, generated: false };
}

function seconds(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 60 && value <= 31_536_000) return value;
  throw new CommandFailed({
    field: '--session-timeout',
    value: text,
    problem: 'is not a time in seconds',
    remedy: 'write a whole number from 60 to 31536000',
  });
}

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserRefused)) throw error;
    const [field = 'user', ...rest] = error.message.split(': ');
    throw new CommandFailed({ field, problem: 'is refused', remedy: rest.join(': ') });
  }
}
