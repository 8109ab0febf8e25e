import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, overlap, prefixOf } from '@culvert/config';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { configFileFor, makeFirstConfig, newPassword } from './first-run.ts';
import { choosePool } from './pool-choice.ts';
import { isPrivate } from './surroundings.ts';
import { welcomeText } from './welcome.ts';

const folder = mkdtempSync(join(tmpdir(), 'culvert-first-'));
afterAll(() => rmSync(folder, { recursive: true }));

const around = {
  routes: ['default', '10.98.1.0/24', '192.168.1.0/24'],
  addresses: [],
  nameServers: ['192.168.1.1'],
  mtu: 1500,
};

describe('a first configuration', () => {
  const file = join(folder, 'home', 'culvert.yaml');
  const made = makeFirstConfig(file, around);

  test('is a good one', () => {
    const config = loadConfig(file);
    expect(config.stateDir).toBe(join(folder, 'home'));
    expect(config.pool.ipv4).toBe('10.199.76.0/22');
    expect(config.ppp.dns).toEqual(['192.168.1.1']);
    expect(config.edge.snat).toBe(true);
    expect(new TextDecoder().decode(config.psks[0]?.secret.expose())).toBe(made.psk);
    expect(new TextDecoder().decode(config.users[0]?.password.expose())).toBe(made.password);
  });

  test('keeps its secrets in files that only the owner reads', () => {
    for (const name of ['culvert.yaml', 'first.psk', 'first.password']) {
      expect(statSync(join(folder, 'home', name)).mode & 0o777).toBe(0o600);
    }
    expect(readFileSync(file, 'utf8')).not.toContain(made.psk);
  });

  test('never replaces one', () => {
    expect(() => makeFirstConfig(file, around)).toThrow(/already there, and not replaced/);
  });

  test('tells how to connect', () => {
    const text = welcomeText(made, ['203.0.113.7', '10.0.0.7']);
    for (const part of ['203.0.113.7', '10.0.0.7', made.psk, made.user, made.password, file])
      expect(text).toContain(part);
    expect(text).not.toContain('router');
    expect(welcomeText(made, ['10.0.0.7'])).toContain('UDP 500 and 4500');
    const none = welcomeText(made, []);
    expect(none).toContain('no address that a client could dial');
    expect(none).not.toContain('private addresses');
  });

  test('what is left of another one is left alone, with a word what to do', () => {
    const again = join(folder, 'again', 'culvert.yaml');
    makeFirstConfig(again, around);
    rmSync(again);
    expect(() => makeFirstConfig(again, around)).toThrow(
      /first\.psk and .*first\.password: already there, and not replaced: restore .*culvert\.yaml, or move/,
    );
  });

  test('fits the way to the clients', () => {
    for (const [mtu, outerMtu, mru] of [
      [9000, 1500, 1400],
      [1400, 1400, 1300],
      [576, 1280, 1180],
    ] as const) {
      const other = join(folder, `mtu-${mtu}`, 'culvert.yaml');
      makeFirstConfig(other, { ...around, mtu });
      expect(loadConfig(other)).toMatchObject({ edge: { outerMtu }, ppp: { mru } });
    }
  });

  test('name servers of the machine, or public ones', () => {
    const other = join(folder, 'other', 'culvert.yaml');
    makeFirstConfig(other, { ...around, nameServers: [] });
    expect(loadConfig(other).ppp.dns).toHaveLength(2);
  });
});

describe('the pool', () => {
  const route = fc
    .tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.integer({ min: 1, max: 32 }))
    .map(([a, b, c, length]) => `${a}.${b}.${c}.0/${length}`);

  test('overlaps no route of the machine', () => {
    fc.assert(
      fc.property(fc.array(route, { maxLength: 12 }), (routes) => {
        const pool = choosePool(routes);
        if (pool === undefined) return;
        for (const taken of routes) expect(overlap(prefixOf(pool), prefixOf(taken))).toBe(false);
      }),
    );
  });

  test('a default route does not count; everything taken is told', () => {
    expect(choosePool(['default', '0.0.0.0/0', '127.0.0.0/8'])).toBe('10.98.0.0/22');
    expect(choosePool(['0.0.0.0/1', '128.0.0.0/1'])).toBeUndefined();
    expect(() =>
      makeFirstConfig(join(folder, 'full', 'a.yaml'), { ...around, routes: ['0.0.0.0/1', '128.0.0.0/1'] }),
    ).toThrow(/pool\.ipv4/);
  });
});

test('which file is meant', () => {
  expect(configFileFor('/a/b.yaml', '/s')).toBe('/a/b.yaml');
  expect(configFileFor(undefined, '/s')).toBe('/s/culvert.yaml');
});

test('a password can be told and typed', () => {
  expect(newPassword()).toMatch(/^([a-hjkmnp-z2-9]{4}-){3}[a-hjkmnp-z2-9]{4}$/);
});

test('private addresses', () => {
  expect(['10.1.2.3', '172.31.0.1', '192.168.0.1', '100.64.0.1'].every(isPrivate)).toBe(true);
  expect(['172.32.0.1', '100.128.0.1', '203.0.113.1', '11.0.0.1'].some(isPrivate)).toBe(false);
});
