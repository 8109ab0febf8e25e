import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Config } from '@culvert/config';
import type { Sealer } from '@culvert/host';
import type { Telemetry } from '@culvert/telemetry';
import { readUsersFile, type UsersFault } from '@culvert/users';
import { type Account, configAccount, fileAccount, withoutDomain } from './account.ts';
import { shownName } from './shown-name.ts';

/** All users that may log in: those of the configuration and those of the users file, as last read. */
export interface Directory {
  find(name: string): Account | undefined;
  /** Whether any user can be checked by CHAP-MD5. */
  readonly anyChap: boolean;
  readonly size: number;
  /** Fixed IPv4 addresses, which nobody else may be leased. */
  readonly fixed: ReadonlySet<string>;
  /** Of the users file: what is wrong with it while an older set is in use. */
  readonly faults: readonly UsersFault[];
  reload(): void;
  close(): void;
}

interface Running {
  readonly accounts: ReadonlyMap<string, Account>;
  readonly anyChap: boolean;
  readonly fixed: ReadonlySet<string>;
}

interface DirectoryNeeds {
  readonly config: Pick<Config, 'users' | 'usersFile'>;
  readonly sealer: Sealer;
  readonly telemetry: Telemetry;
}

/** Reads the users and keeps up with the file. A file that turns bad leaves the running set in place. */
export function openDirectory(needs: DirectoryNeeds): Directory {
  const { config, telemetry } = needs;
  const inline = config.users.map(configAccount);
  let running = runningSet(inline, []);
  let faults: readonly UsersFault[] = [];

  const reload = () => {
    const found = readAccounts(needs);
    if ('faults' in found) {
      faults = found.faults;
      for (const fault of faults)
        telemetry.log.error(
          { file: config.usersFile, ...fault },
          'users file refused; the users read before stay',
        );
      telemetry.count('aaa_users_file', { outcome: 'refused' });
      return;
    }
    faults = [];
    running = runningSet(inline, found.accounts);
    telemetry.count('aaa_users_file', { outcome: 'read' });
    telemetry.log.info({ file: config.usersFile, users: running.accounts.size }, 'users read');
    warnOfDoubles(inline, found.accounts, telemetry);
  };
  reload();
  const watcher = watchFile(config.usersFile, telemetry, reload);
  return {
    find: (name) => running.accounts.get(name) ?? running.accounts.get(withoutDomain(name)),
    get anyChap() {
      return running.anyChap;
    },
    get size() {
      return running.accounts.size;
    },
    get fixed() {
      return running.fixed;
    },
    get faults() {
      return faults;
    },
    reload,
    close: () => watcher?.close(),
  };
}

function readAccounts(
  needs: DirectoryNeeds,
): { readonly accounts: readonly Account[] } | { readonly faults: readonly UsersFault[] } {
  const file = readUsersFile(needs.config.usersFile);
  if (!file.ok) return { faults: file.faults };
  const accounts: Account[] = [];
  const faults: UsersFault[] = [];
  for (const [index, user] of file.document.users.entries()) {
    const account = fileAccount(needs.sealer, user, `users[${index}]`);
    if ('problem' in account) faults.push(account);
    else accounts.push(account);
  }
  return faults.length > 0 ? { faults: faults.slice(0, 20) } : { accounts };
}

function warnOfDoubles(inline: readonly Account[], file: readonly Account[], telemetry: Telemetry): void {
  const names = new Set(file.map(({ name }) => name));
  for (const { name } of inline) {
    if (!names.has(name)) continue;
    const text = 'user stands in the configuration and in the users file; the configuration counts';
    telemetry.log.warn({ user: shownName(name) }, text);
  }
}

function runningSet(inline: readonly Account[], file: readonly Account[]): Running {
  const all = [...file, ...inline];
  return {
    accounts: new Map(all.map((account) => [account.name, account])),
    anyChap: all.some((account) => account.chapSecret !== undefined),
    fixed: new Set(all.flatMap((account) => (account.ipv4 === undefined ? [] : [account.ipv4]))),
  };
}

/** The folder is watched, not the file: a replaced file is a new inode. */
function watchFile(path: string, telemetry: Telemetry, changed: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(dirname(path), { persistent: false }, (_event, name) => {
      if (name === null || name === basename(path)) changed();
    });
    watcher.on('error', (error) => telemetry.log.warn({ error }, 'users file is no longer watched'));
    return watcher;
  } catch {
    telemetry.log.info(
      { file: path },
      'the folder of the users file does not exist; users of the configuration only',
    );
    return undefined;
  }
}
