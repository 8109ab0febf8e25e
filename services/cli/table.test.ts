import { expect, test } from 'vitest';
import { duration, mebibytes, printable, table } from './table.ts';
import type { Terminal } from './terminal.ts';

const nothing = () => undefined;
const terminal: Terminal = {
  json: false,
  interactive: false,
  out: nothing,
  error: nothing,
  paint: (_how, text) => `\u001b[2m${text}\u001b[22m`,
  fail: nothing,
};

test('columns are as wide as what a person sees', () => {
  const plain = { ...terminal, paint: (_how: unknown, text: string) => text };
  expect(
    table(
      plain,
      ['A', 'BB'],
      [
        ['long', 'x'],
        ['\u001b[31mr\u001b[39m', 'yy'],
      ],
    ),
  ).toBe('A     BB\nlong  x\n\u001b[31mr\u001b[39m     yy');
});

test.each([
  [0, '0 s'],
  [8_400, '8 s'],
  [90_000, '1 min'],
  [3_900_000, '1 h 5 min'],
  [100 * 3_600_000, '4 d 4 h'],
])('%i ms is %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test('memory, and text that a peer chose', () => {
  expect(mebibytes(52_428_800)).toBe('50 MiB');
  expect(printable('a\u001b[31mb\n\u009bc é 漢 \u{1f600}')).toBe('a?[31mb??c é 漢 \u{1f600}');
});
