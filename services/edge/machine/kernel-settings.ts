import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '@culvert/telemetry';
import { readSysctl, setSysctl } from './commands.ts';

/**
 * Kernel settings that a start changes, with what they were. A file keeps that until they are restored, so
 * that the start after a crash does not take our own change for the administrator's will.
 */
export interface KernelSettings {
  /** The value without us. */
  before(name: string): Promise<string>;
  set(name: string, value: string): Promise<void>;
  /** Those that `lasting` names; the others went with what they belong to. */
  restore(lasting: (name: string) => boolean): Promise<void>;
}

interface Stored {
  /** Settings do not outlive the kernel's own start. */
  readonly boot: string;
  readonly before: Readonly<Record<string, string>>;
}

export async function openKernelSettings(stateDir: string, log: Log): Promise<KernelSettings> {
  const path = join(stateDir, 'edge-kernel-settings.json');
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const changed = new Map<string, string>(Object.entries(await read(path, boot)));
  const store = () =>
    writeFile(path, `${JSON.stringify({ boot, before: Object.fromEntries(changed) } satisfies Stored)}\n`, {
      mode: 0o600,
    });
  const before = async (name: string) => changed.get(name) ?? (await readSysctl(name));
  return {
    before,
    async set(name, value) {
      const was = await before(name);
      const present = await readSysctl(name);
      if (present === value) return;
      changed.set(name, was);
      await store();
      await setSysctl(name, value);
      log.info({ sysctl: name, from: present, to: value }, 'kernel setting changed');
    },
    async restore(lasting) {
      for (const [name, was] of [...changed].reverse()) {
        if (!lasting(name)) continue;
        await setSysctl(name, was).catch((error: unknown) =>
          log.warn({ sysctl: name, error: String(error) }, 'kernel setting could not be restored'),
        );
      }
      changed.clear();
      await rm(path, { force: true });
    },
  };
}

/** Nothing where the file is not there, not readable or of an earlier start of the machine. */
async function read(path: string, boot: string): Promise<Readonly<Record<string, string>>> {
  try {
    const stored = JSON.parse(await readFile(path, 'utf8')) as Partial<Stored> | null;
    return stored?.boot === boot && typeof stored.before === 'object' ? stored.before : {};
  } catch {
    return {};
  }
}
