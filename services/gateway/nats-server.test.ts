import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { atLeast, findNatsServer, meetsFloor, natsWanted } from './nats-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'culvert-nats-find-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fake(name: string, version: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\necho "nats-server: v${version}"\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('versions', () => {
  const wanted = { pinned: '2.14.9', floor: '2.12.7', nextFloor: '2.14.0' };
  test.each([
    ['2.9.10', false],
    ['2.12.6', false],
    ['2.12.7', true],
    ['2.12.11', true],
    ['2.13.4', false],
    ['2.14.0', true],
    ['2.14.9-RC.1', true],
    ['3.0.0', true],
  ])('%s', (version, suits) => {
    expect(meetsFloor(version, wanted)).toBe(suits);
  });

  test('are compared as numbers', () => {
    expect(atLeast('2.10.0', '2.9.10')).toBe(true);
    expect(atLeast('2.9.10', '2.10.0')).toBe(false);
    expect(atLeast('2.12', '2.12.0')).toBe(true);
  });

  test('wanted stand in deploy/nats/version', () => {
    expect(natsWanted()).toEqual({
      pinned: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      floor: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      nextFloor: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    });
  });
});

describe('finding one', () => {
  test('CULVERT_NATS_SERVER names it, whatever its version', () => {
    const path = fake('old', '2.9.10');
    expect(findNatsServer({ CULVERT_NATS_SERVER: path, PATH: '' })).toEqual({ path, version: '2.9.10' });
    expect(findNatsServer({ CULVERT_NATS_SERVER: join(folder, 'none') })).toBeUndefined();
  });

  test('a suitable one on PATH is taken', () => {
    const path = fake('nats-server', '2.14.2');
    expect(findNatsServer({ PATH: folder })).toEqual({ path, version: '2.14.2' });
  });
});
