import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leaseKey } from './lease-record.ts';
import { type Pool, pool4, pool6 } from './pool.ts';

const all = (pool: Pool) =>
  Array.from({ length: pool.numbers }, (_, index) => pool.at(index)).filter((one) => one !== undefined);

describe('IPv4 pool', () => {
  test('leaves out network, broadcast and gateway', () => {
    const pool = pool4('10.98.0.0/29', '10.98.0.1');
    expect(all(pool)).toEqual(['10.98.0.2', '10.98.0.3', '10.98.0.4', '10.98.0.5', '10.98.0.6']);
    expect(pool.size).toBe(5);
    for (const address of [
      '10.98.0.0',
      '10.98.0.1',
      '10.98.0.7',
      '10.98.0.8',
      '10.97.255.255',
      '::1',
      'x',
      '',
    ]) {
      expect(pool.holds(address)).toBe(false);
    }
    expect(pool.holds('10.98.0.6')).toBe(true);
  });

  test('gateway elsewhere, and the smallest prefixes', () => {
    expect(pool4('10.98.0.0/29', '192.0.2.1').size).toBe(6);
    expect(all(pool4('10.98.0.4/31', '192.0.2.1'))).toEqual(['10.98.0.4', '10.98.0.5']);
    expect(all(pool4('10.98.0.4/32', '192.0.2.1'))).toEqual(['10.98.0.4']);
    expect(all(pool4('10.98.0.4/32', '10.98.0.4'))).toEqual([]);
    expect(all(pool4('10.98.0.4/30', '10.98.0.5'))).toEqual(['10.98.0.6']);
  });

  test('any prefix: every address once, inside, counted', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 32 }), fc.nat(0xffffffff), fc.nat(), (length, bits, at) => {
        const network = (bits & (length === 0 ? 0 : -1 << (32 - length))) >>> 0;
        const text = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.');
        const gateway = text((network + (at % 2 ** (32 - length))) >>> 0);
        const pool = pool4(`${text(network)}/${length}`, gateway);
        const addresses = all(pool);
        expect(new Set(addresses).size).toBe(pool.size);
        expect(addresses.every(pool.holds)).toBe(true);
        expect(addresses).not.toContain(gateway);
      }),
      { numRuns: 40 },
    );
  });
});

describe('IPv6 pool', () => {
  test('is cut into /64s, the first one kept', () => {
    const pool = pool6('2001:db8:0:100::/62');
    expect(all(pool)).toEqual(['2001:db8:0:101::', '2001:db8:0:102::', '2001:db8:0:103::']);
    expect(pool.holds('2001:db8:0:102::')).toBe(true);
    for (const prefix of [
      '2001:db8:0:100::',
      '2001:db8:0:104::',
      '2001:db8:0:102::1',
      '10.0.0.1',
      '',
      'fe80::',
    ]) {
      expect(pool.holds(prefix)).toBe(false);
    }
    expect(all(pool6('2001:db8:7::/64'))).toEqual(['2001:db8:7::']);
    expect(pool6('2001:db8::/80').size).toBe(0);
    expect(pool6('2001:db8::/16').numbers).toBe(2 ** 32 - 1);
  });
});

test('one key per address or /64, fit for a bucket', () => {
  expect(leaseKey(4, '10.98.0.5')).toBe('4.10.98.0.5');
  expect(leaseKey(6, '2001:db8:0:102::')).toBe('6.20010db800000102');
  expect(leaseKey(6, '2001:db8::')).toBe('6.20010db800000000');
  expect(leaseKey(6, '2001:db8:1:ffff::')).toBe('6.20010db80001ffff');
  const pool = pool6('2001:db8::/48');
  fc.assert(
    fc.property(fc.nat(pool.numbers - 1), fc.nat(pool.numbers - 1), (a, b) => {
      const [one, two] = [leaseKey(6, pool.at(a) ?? ''), leaseKey(6, pool.at(b) ?? '')];
      expect(one).toMatch(/^6\.[0-9a-f]{16}$/);
      expect(one === two).toBe(a === b);
    }),
  );
});
