import { constants } from 'node:fs';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hex } from '@culvert/wire';
import { secretRandom } from './random.ts';
import { Secret } from './secret.ts';

const KEY_OCTETS = 32;
const LINE = /^culvert-key-1 ([0-9a-f]{64})$/;
const FILE_OCTETS_MAX = 4096;

/**
 * The key under which a cluster seals what it stores. A new first line of the file becomes `current`;
 * what was sealed under the earlier ones still opens.
 */
export interface ClusterKey {
  readonly current: Secret;
  readonly earlier: readonly Secret[];
}

/** The key file cannot be trusted or read. The text names the file and the remedy, never its content. */
export class KeyFileRefused extends Error {
  override readonly name = 'KeyFileRefused';
}

/**
 * Reads the key file, or makes it (32 random octets, mode 0600) when there is none. Any number of
 * processes may do so at once: the file appears complete or not at all, and all get the same key.
 */
export async function loadOrCreateKeyFile(path: string): Promise<ClusterKey> {
  const found = await readKeyFile(path);
  if (found !== undefined) return found;
  await createKeyFile(path);
  const made = await readKeyFile(path);
  if (made === undefined) throw new KeyFileRefused(`${path}: vanished while it was being created`);
  return made;
}

async function readKeyFile(path: string): Promise<ClusterKey | undefined> {
  // O_NOFOLLOW and the checks on the opened file itself: no window between looking and reading.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      if (error.code === 'ELOOP')
        throw new KeyFileRefused(`${path}: is a symbolic link; name the file itself`);
      throw new KeyFileRefused(`${path}: cannot be opened (${error.code ?? 'unknown error'})`);
    },
  );
  if (file === undefined) return undefined;
  try {
    const about = await file.stat();
    if (!about.isFile()) throw new KeyFileRefused(`${path}: not a regular file`);
    if ((about.mode & 0o077) !== 0) {
      const mode = (about.mode & 0o777).toString(8).padStart(4, '0');
      throw new KeyFileRefused(`${path}: mode ${mode} lets others read the key; run: chmod 600 ${path}`);
    }
    const self = process.geteuid?.();
    if (self !== undefined && about.uid !== self && about.uid !== 0) {
      throw new KeyFileRefused(`${path}: belongs to uid ${about.uid}, not to the gateway's user (${self})`);
    }
    if (about.size > FILE_OCTETS_MAX) throw new KeyFileRefused(`${path}: too large for a key file`);
    return parseKeys(path, await file.readFile('utf8'));
  } finally {
    await file.close();
  }
}

function parseKeys(path: string, text: string): ClusterKey {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const keys = lines.map((line, index) => {
    const digits = LINE.exec(line)?.[1];
    if (digits === undefined)
      throw new KeyFileRefused(`${path}: key ${index + 1} is not "culvert-key-1 <64 hex digits>"`);
    return new Secret(hex(digits));
  });
  const [current, ...earlier] = keys;
  if (current === undefined) throw new KeyFileRefused(`${path}: holds no key; restore it from a backup`);
  return { current, earlier };
}

/** Written under another name, synced, then linked: `link` fails where a rename would overwrite. */
async function createKeyFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${Buffer.from(secretRandom(8)).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(`culvert-key-1 ${Buffer.from(secretRandom(KEY_OCTETS)).toString('hex')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(draft, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await unlink(draft);
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
