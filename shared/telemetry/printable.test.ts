import { describe, expect, test } from 'vitest';
import { Secret } from '../crypto/index.ts';
import { printable, printableFields, printableText } from './printable.ts';

describe('what is printed', () => {
  test('octets print as their number, unknown classes as a secret', () => {
    class Wrapped {
      readonly inside = 'hunter2';
    }
    expect(
      printableFields({
        key: Uint8Array.of(1, 2, 3),
        buffer: Buffer.from('hunter2'),
        array: new ArrayBuffer(4),
        words: Uint16Array.of(1),
        secret: Secret.fromText('hunter2'),
        wrapped: new Wrapped(),
        map: new Map([['a', 'hunter2']]),
        fun: () => 'hunter2',
        big: 12n,
        when: new Date(0),
        none: undefined,
        nil: null,
        nan: Number.NaN,
      }),
    ).toEqual({
      key: 'octets(3)',
      buffer: 'octets(7)',
      array: 'octets(4)',
      words: 'octets(2)',
      secret: '[secret]',
      wrapped: '[secret]',
      map: '[secret]',
      fun: '[function]',
      big: '12',
      when: '1970-01-01T00:00:00.000Z',
      nil: null,
      nan: 'NaN',
    });
  });

  test('text is capped and its control characters are shown', () => {
    expect(printableText('x'.repeat(300))).toBe(`${'x'.repeat(256)}…`);
    expect(printableText('a\n\u001b[31mb\u0000\u009b\u202e\ud800')).toBe(
      'a\\u{a}\\u{1b}[31mb\\u{0}\\u{9b}\\u{202e}\\u{d800}',
    );
    expect(printableText('Jürgen 日本 🙂')).toBe('Jürgen 日本 🙂');
  });

  test('lists, records and depth are bounded', () => {
    expect(printable(Array.from({ length: 40 }, (_, index) => index))).toHaveLength(33);
    const ring: { self?: unknown } = {};
    ring.self = ring;
    expect(JSON.stringify(printable(ring))).toContain('[deeper]');
    const wide = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`f${index}`, index]));
    expect(Object.keys(printable(wide) as object)).toHaveLength(32);
  });

  test('an error shows its name, message, code, place and cause', () => {
    const error = Object.assign(new TypeError('bad\nthing', { cause: new Error('deeper') }), {
      code: 'EBAD',
      secret: 'hunter2',
    });
    const shown = printable(error) as Record<string, unknown>;
    expect(shown).toMatchObject({
      name: 'TypeError',
      message: 'bad\\u{a}thing',
      code: 'EBAD',
      cause: { message: 'deeper' },
    });
    expect(shown.stack).toContain('printable.test.ts');
    expect(JSON.stringify(shown)).not.toContain('hunter2');
  });
});
