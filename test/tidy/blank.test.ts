import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blank } from './blank.ts';

test.each([
  ['a; // b', 'a;     '],
  ['a /* b\nc */ d', 'a     \n     d'],
  ["f('x // y')", "f('      ')"],
  ['f("a\\"b") + c', 'f("    ") + c'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a template is what is scanned
  ['`a ${b + `c ${d}`} e` + f', '`  ${b + `  ${d}`}  ` + f'],
  ['a = /[/"]x/.test(b) / 2', 'a = /     /.test(b) / 2'],
  ['return /a\\/b/g;', 'return /    /g;'],
  ['x / y / z', 'x / y / z'],
])('%j', (text, code) => {
  expect(blank(text)).toBe(code);
});

test('keeps length and lines of anything', () => {
  const pieces = fc.constantFrom(
    "'",
    '"',
    '`',
    '/',
    '*',
    '\\',
    '\n',
    '${',
    '}',
    'a',
    ' ',
    '(',
    '//',
    '/*',
    '*/',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      const text = parts.join('');
      const code = blank(text);
      expect(code).toHaveLength(text.length);
      expect(code.split('\n')).toHaveLength(text.split('\n').length);
    }),
  );
});
