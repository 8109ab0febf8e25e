import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex } from '@culvert/wire';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KeyFileRefused, loadOrCreateKeyFile } from './cluster-key.ts';
import { createSealer, placeOf, SealBroken } from './sealer.ts';
import { Secret } from './secret.ts';
import { shardKeyOf, shardOfCookie } from './shard-of-cookie.ts';

const clusterKey = (octet: number) => ({ current: new Secret(new Uint8Array(32).fill(octet)), earlier: [] });
const place = placeOf('culvert_ike', 'state', '17.0123456789abcdef', '42');

describe('sealer', () => {
  const sealer = createSealer(clusterKey(1));

  test('opens what it sealed for the place, and only there', () => {
    const octets = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(octets, fc.string(), fc.string(), (plain, here, there) => {
        const sealed = sealer.seal(here, plain);
        expect(sealer.open(here, sealed)).toEqual(plain);
        if (here !== there) expect(() => sealer.open(there, sealed)).toThrow(SealBroken);
      }),
    );
  });

  test('the same octets never look the same twice', () => {
    const sealed = Array.from({ length: 200 }, () => toHex(sealer.seal(place, new Uint8Array(8))));
    expect(new Set(sealed).size).toBe(200);
  });

  test('any flipped bit and any truncation is refused', () => {
    const sealed = sealer.seal(place, new TextEncoder().encode('forwarding entries'));
    for (let bit = 0; bit < sealed.length * 8; bit += 3) {
      const forged = Uint8Array.from(sealed);
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => sealer.open(place, forged)).toThrow(SealBroken);
    }
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => sealer.open(place, sealed.subarray(0, length))).toThrow(SealBroken);
    }
  });

  test('state, forward and password of one record are sealed under different keys', () => {
    const sealed = sealer.seal(placeOf('culvert_ike', 'state', 'k'), new Uint8Array(4));
    expect(() => sealer.open(placeOf('culvert_ike', 'forward', 'k'), sealed)).toThrow(SealBroken);
    expect(() => sealer.open(placeOf('culvert_ppp', 'state', 'k'), sealed)).toThrow(SealBroken);
  });

  test('another cluster key does not open it; a rotated one does', () => {
    const sealed = sealer.seal(place, Uint8Array.of(1, 2, 3));
    expect(() => createSealer(clusterKey(2)).open(place, sealed)).toThrow(SealBroken);
    const rotated = createSealer({ current: clusterKey(2).current, earlier: [clusterKey(1).current] });
    expect(rotated.open(place, sealed)).toEqual(Uint8Array.of(1, 2, 3));
    expect(() => sealer.open(place, rotated.seal(place, sealed))).toThrow(SealBroken);
  });
});

describe('key file', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'culvert-key-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('is made once, mode 0600, and read again', async () => {
    const path = join(folder, 'state', 'cluster.key');
    const made = await loadOrCreateKeyFile(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'state'))).mode & 0o777).toBe(0o700);
    expect((await loadOrCreateKeyFile(path)).current.equals(made.current)).toBe(true);
    expect(await readdir(join(folder, 'state'))).toEqual(['cluster.key']);
  });

  test('many starting at once get one key', async () => {
    const path = join(folder, 'cluster.key');
    const keys = await Promise.all(Array.from({ length: 20 }, () => loadOrCreateKeyFile(path)));
    const [first] = keys;
    expect(keys.every((key) => first !== undefined && key.current.equals(first.current))).toBe(true);
    expect(await readdir(folder)).toEqual(['cluster.key']);
  });

  test('lax modes, links, folders and other contents are refused, never printed', async () => {
    const good = join(folder, 'good');
    await loadOrCreateKeyFile(good);
    const content = await readFile(good, 'utf8');
    const path = join(folder, 'cluster.key');

    for (const mode of [0o640, 0o604, 0o660, 0o601, 0o644]) {
      await writeFile(path, content);
      await chmod(path, mode);
      await expect(loadOrCreateKeyFile(path)).rejects.toThrow(/chmod 600/);
    }
    await rm(path);
    await symlink(good, path);
    await expect(loadOrCreateKeyFile(path)).rejects.toThrow(KeyFileRefused);
    await rm(path);
    await mkdir(path);
    await expect(loadOrCreateKeyFile(path)).rejects.toThrow(KeyFileRefused);
    await rm(path, { recursive: true });

    for (const wrong of [
      '',
      '# comment only\n',
      'secret-canary\n',
      content.slice(0, -4),
      content + content.slice(3),
      'x'.repeat(9000),
    ]) {
      await writeFile(path, wrong, { mode: 0o600 });
      const failure = await loadOrCreateKeyFile(path).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(KeyFileRefused);
      expect(String(failure)).not.toMatch(/canary|[0-9a-f]{16}/);
    }
  });

  test('a new first line is the key, the old one still opens', async () => {
    const path = join(folder, 'cluster.key');
    const before = createSealer(await loadOrCreateKeyFile(path)).seal(place, Uint8Array.of(7));
    await writeFile(path, `culvert-key-1 ${'5a'.repeat(32)}\n${await readFile(path, 'utf8')}`, {
      mode: 0o600,
    });
    const rotated = await loadOrCreateKeyFile(path);
    expect(rotated.earlier.length).toBe(1);
    expect(createSealer(rotated).open(place, before)).toEqual(Uint8Array.of(7));
  });
});

test('shardOfCookie spreads initiator cookies evenly, differently under another key', () => {
  const counts = new Array<number>(1024).fill(0);
  const cookie = new Uint8Array(8);
  const key = shardKeyOf(clusterKey(1));
  for (let index = 0; index < 20_480; index += 1) {
    new DataView(cookie.buffer).setUint32(0, index);
    const shard = shardOfCookie(key, cookie);
    counts[shard] = (counts[shard] ?? 0) + 1;
  }
  expect(counts.reduce((sum, count) => sum + count)).toBe(20_480);
  expect(Math.max(...counts)).toBeLessThan(50);
  expect(Math.min(...counts)).toBeGreaterThan(0);
  const shards = (octet: number) =>
    shardOfCookie(shardKeyOf(clusterKey(octet)), Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  expect(shards(1)).toBe(shards(1));
  expect(key.equals(clusterKey(1).current)).toBe(false);
  expect(new Set([1, 2, 3, 4, 5].map(shards)).size).toBeGreaterThan(1);
});
