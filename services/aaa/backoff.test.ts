import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoff } from './backoff.ts';

const LIMITS = { free: 5, forgiveMs: 120_000, lockMs: 10_000, lockMaxMs: 60_000, keysMax: 100 };

describe('back-off', () => {
  test('five failures lock, the lock doubles up to its cap, time forgives', () => {
    const users = backoff(LIMITS);
    let now = 1_000_000;
    const fail = () => {
      users.begin('eve', now);
      users.failed('eve', now);
    };
    for (let count = 0; count < 5; count += 1) {
      expect(users.admits('eve', now)).toBe('now');
      fail();
    }
    for (const lockMs of [10_000, 20_000, 40_000, 60_000, 60_000]) {
      expect(users.admits('eve', now + lockMs - 1)).toBe('locked');
      now += lockMs;
      expect(users.admits('eve', now)).toBe('now');
      fail();
    }
    expect(users.admits('bob', now)).toBe('now');
    now += 20 * LIMITS.forgiveMs;
    expect(users.admits('eve', now)).toBe('now');
  });

  test('success clears a user, not a source', () => {
    const table = backoff(LIMITS);
    const failures = (key: string, count: number) => {
      for (let index = 0; index < count; index += 1) {
        table.begin(key, 0);
        table.failed(key, 0);
      }
    };
    failures('user', 4);
    table.begin('user', 0);
    table.succeeded('user', 0, true);
    failures('user', 4);
    expect(table.admits('user', 0)).toBe('now');
    failures('source', 4);
    table.begin('source', 0);
    table.succeeded('source', 0, false);
    failures('source', 1);
    expect(table.admits('source', 0)).toBe('locked');
  });

  test('guesses in parallel count before they are answered', () => {
    const users = backoff(LIMITS);
    let admitted = 0;
    for (let count = 0; count < 100; count += 1) {
      if (users.admits('eve', 0) !== 'now') continue;
      admitted += 1;
      users.begin('eve', 0);
    }
    expect(admitted).toBe(5);
    expect(users.admits('eve', 0)).toBe('wait');
  });

  test('memory is bounded whatever names come', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 400 }), (names) => {
        const users = backoff(LIMITS);
        for (const [index, name] of names.entries()) {
          users.begin(name, index);
          users.failed(name, index);
        }
        expect(users.size).toBeLessThanOrEqual(100);
      }),
    );
  });

  test('nothing is kept of those who do well', () => {
    const users = backoff(LIMITS);
    users.begin('good', 5);
    users.succeeded('good', 6, true);
    expect(users.size).toBe(0);
  });
});
