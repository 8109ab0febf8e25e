import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, parseConfig } from '@culvert/config';
import { afterEach, describe, expect, test } from 'vitest';
import { GENERATION_MAX } from '../esp/index.ts';
import { IdentityUnusable, takeIdentity } from './identity.ts';
import { addressesOf, localAddresses } from './local-addresses.ts';
import { nftRules } from './nft-rules.ts';

const directories: string[] = [];
const newDirectory = () => {
  const directory = mkdtempSync(join(tmpdir(), 'culvert-edge-'));
  directories.push(directory);
  return directory;
};
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

const LONG_AGO = 0;

describe('the identity in front of every IV', () => {
  test('each start has a new generation of the same node id', async () => {
    const directory = newDirectory();
    const first = await takeIdentity(directory, 'machine a', LONG_AGO);
    const second = await takeIdentity(directory, 'machine a', LONG_AGO);
    expect(first).toMatchObject({ generation: 1 });
    expect(second).toEqual({ nodeId: first.nodeId, generation: 2 });
    expect(statSync(join(directory, 'edge-identity.json')).mode & 0o777).toBe(0o600);
  });

  test('a disk that was set back does not repeat what came after its snapshot', async () => {
    const directory = newDirectory();
    const path = join(directory, 'edge-identity.json');
    const noon = Date.UTC(2026, 5, 1, 12);
    await takeIdentity(directory, 'machine a', noon);
    const snapshot = readFileSync(path);
    const used = new Set<number>();
    for (let start = 1; start < 5; start += 1)
      used.add((await takeIdentity(directory, 'machine a', noon + start * 60_000)).generation);
    writeFileSync(path, snapshot);
    const { generation } = await takeIdentity(directory, 'machine a', noon + 6 * 60_000);
    expect(used.has(generation)).toBe(false);
  });

  test('a clock far off uses nothing up', async () => {
    const directory = newDirectory();
    const first = await takeIdentity(directory, 'machine a', Date.UTC(2500, 0, 1));
    expect(first.generation).toBe(1);
    expect((await takeIdentity(directory, 'machine a', Date.UTC(1970, 0, 1))).generation).toBe(2);
  });

  test('a copied disk gets another node id, which is never reissued', async () => {
    const directory = newDirectory();
    const seen = new Set<number>();
    for (let machine = 0; machine < 255; machine += 1) {
      const { nodeId, generation } = await takeIdentity(directory, `machine ${machine}`, LONG_AGO);
      expect(generation).toBe(1);
      seen.add(nodeId);
    }
    expect(seen.size).toBe(255);
    await expect(takeIdentity(directory, 'one too many', LONG_AGO)).rejects.toThrow(/no node id is left/);
  });

  test('a broken file and used-up generations stop the start instead of starting over', async () => {
    const directory = newDirectory();
    const path = join(directory, 'edge-identity.json');
    const { nodeId } = await takeIdentity(directory, 'machine a', LONG_AGO);
    const stored = JSON.parse(readFileSync(path, 'utf8')) as object;
    writeFileSync(path, JSON.stringify({ ...stored, generation: GENERATION_MAX - 1 }));
    expect(await takeIdentity(directory, 'machine a', LONG_AGO)).toEqual({
      nodeId,
      generation: GENERATION_MAX,
    });
    await expect(takeIdentity(directory, 'machine a', LONG_AGO)).rejects.toThrow(IdentityUnusable);
    for (const text of ['', '{', 'null', '{"version":1}', JSON.stringify({ ...stored, generation: 0 })]) {
      writeFileSync(path, text);
      await expect(takeIdentity(directory, 'machine a', LONG_AGO)).rejects.toThrow(IdentityUnusable);
    }
  });
});

const configWith = (text: string): Config =>
  parseConfig(
    `{ psks: [{ name: a, secret: "J3v9-wQx7_2mNbR5tYp8LkHs4Df6GcVz1AqWeUiOn" }], ${text} }`,
    '/nonexistent',
  );

const NOT_CONFINED = { ipv4: false, ipv6: false };

describe('rules', () => {
  test('nothing from the tun reaches a local port; clients are kept apart; SNAT only where wanted', () => {
    const rules = nftRules(configWith('pool: { ipv4: 10.99.0.0/16 }'), 'culvert0', NOT_CONFINED);
    expect(rules).toMatch(/hook input[^}]*iifname "culvert0" counter drop/);
    expect(rules).toContain('iifname "culvert0" oifname "culvert0" counter drop');
    expect(rules).toContain('iifname "culvert0" meta nfproto ipv6 counter drop');
    expect(rules).not.toContain('masquerade');
  });

  test('with SNAT, IPv6 and clients that may meet', () => {
    const config = configWith(
      'pool: { ipv4: 10.99.0.0/16, ipv6: "2001:db8:99::/48" }, edge: { snat: true, clientToClient: true }',
    );
    const rules = nftRules(config, 'culvert0', NOT_CONFINED);
    expect(rules).toContain('ip saddr 10.99.0.0/16 oifname != "culvert0" masquerade');
    expect(rules).toContain('ip6 saddr 2001:db8:99::/48 oifname != "culvert0" masquerade');
    expect(rules).not.toContain('oifname "culvert0" counter drop');
  });

  test('who did not forward before us forwards for clients alone', () => {
    const config = configWith('pool: { ipv4: 10.99.0.0/16, ipv6: "2001:db8:99::/48" }');
    const between = (family: string) =>
      `meta iiftype != 65534 meta oiftype != 65534 meta nfproto ${family} counter drop`;
    const four = nftRules(config, 'culvert0', { ipv4: true, ipv6: false });
    expect(four).toContain(between('ipv4'));
    expect(four).not.toContain(between('ipv6'));
    expect(nftRules(config, 'culvert0', { ipv4: true, ipv6: true })).toContain(between('ipv6'));
    expect(nftRules(config, 'culvert0', NOT_CONFINED)).not.toContain('iiftype');
  });
});

test('local addresses have the subnet-router anycast address of every IPv6 prefix', () => {
  const info = { address: '2001:db8:80::f', cidr: '2001:db8:80::f/64', family: 'IPv6' } as const;
  expect(addressesOf(info)).toEqual(['2001:db8:80::f', '2001:db8:80::']);
  expect(addressesOf({ ...info, address: 'fe80::1%eth0', cidr: 'fe80::1/64' })).toEqual([
    'fe80::1',
    'fe80::',
  ]);
  expect(addressesOf({ ...info, cidr: '2001:db8:80::f/128' })).toEqual(['2001:db8:80::f']);
});

test('local addresses have loopback with its broadcast, without zones', () => {
  const addresses = localAddresses();
  expect(addresses).toContain('127.0.0.1');
  expect(addresses).toContain('127.255.255.255');
  expect(addresses.filter((address) => address.includes('%'))).toEqual([]);
});
