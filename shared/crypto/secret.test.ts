import { inspect } from 'node:util';
import { Packr } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { constantTimeEqual, Secret } from './secret.ts';

const CANARY = 'canary-9f3b-hunter2';

/** What a careless sink might print of the octets. */
function traces(text: string): string[] {
  const octets = Buffer.from(CANARY);
  return [CANARY, octets.toString('hex'), octets.toString('base64'), [...octets].join(',')].filter((form) =>
    text.includes(form),
  );
}

describe('Secret', () => {
  const secret = Secret.fromText(CANARY);
  const holder = { psk: secret, list: [secret], nested: { deep: { deeper: { secret } } } };

  const sinks: Readonly<Record<string, () => string>> = {
    toString: () => String(secret),
    template: () => `${secret}`,
    concatenation: () => 'x'.concat(secret as unknown as string),
    JSON: () => JSON.stringify(holder),
    inspect: () => inspect(holder, { depth: 10, showHidden: true, getters: true }),
    'inspect without custom': () => inspect(holder, { depth: 10, showHidden: true, customInspect: false }),
    'error message': () => new Error(`failed with ${secret}`, { cause: secret }).stack ?? '',
    spread: () => JSON.stringify({ ...secret }),
    entries: () =>
      JSON.stringify([Object.entries(secret), Object.getOwnPropertyNames(secret), Reflect.ownKeys(secret)]),
    structuredClone: () => inspect(structuredClone(holder), { depth: 10 }),
    msgpackr: () => Buffer.from(new Packr({ useRecords: false }).pack(holder)).toString('latin1'),
    'msgpackr, records': () =>
      Buffer.from(new Packr({ structuredClone: true }).pack(holder)).toString('latin1'),
  };

  for (const [name, print] of Object.entries(sinks)) {
    test(`does not leak through ${name}`, () => {
      expect(traces(print())).toEqual([]);
    });
  }

  test('shows a placeholder', () => {
    expect(`${secret}`).toBe('[secret]');
    expect(JSON.stringify(holder)).toContain('"psk":"[secret]"');
    expect(inspect(holder)).toContain('psk: [secret]');
  });

  test('is exposed on purpose only, as a copy', () => {
    const octets = secret.expose();
    expect(new TextDecoder().decode(octets)).toBe(CANARY);
    octets.fill(0);
    expect(new TextDecoder().decode(secret.expose())).toBe(CANARY);
  });

  test('is not changed by its source', () => {
    const source = Uint8Array.of(1, 2, 3);
    const copy = new Secret(source);
    source.fill(0);
    expect(copy.equals(Uint8Array.of(1, 2, 3))).toBe(true);
    copy.wipe();
    expect(copy.equals(new Uint8Array(3))).toBe(true);
  });
});

test('constantTimeEqual', () => {
  expect(constantTimeEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
  expect(constantTimeEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
  expect(constantTimeEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0))).toBe(false);
  expect(constantTimeEqual(new Uint8Array(), new Uint8Array())).toBe(true);
});
