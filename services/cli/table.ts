import { stripVTControlCharacters } from 'node:util';
import type { Terminal } from './terminal.ts';

/** Columns as wide as they need, two spaces apart; the heading is faint. */
export function table(
  terminal: Terminal,
  heading: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = heading.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => width(row[column] ?? ''))),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - width(cell))))
      .join('  ')
      .trimEnd();
  return [terminal.paint('dim', line(heading)), ...rows.map(line)].join('\n');
}

function width(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** `3 d 4 h`, `12 min`, `8 s`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const units: readonly (readonly [string, number])[] = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ];
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first === -1) return '0 s';
  const [unit, size] = units[first] ?? ['s', 1];
  const [smaller, smallerSize] = units[first + 1] ?? ['', 0];
  const rest = smallerSize === 0 || size > 3_600 * 24 ? 0 : Math.floor((seconds % size) / smallerSize);
  const more = rest === 0 || unit === 'min' ? '' : ` ${rest} ${smaller}`;
  return `${Math.floor(seconds / size)} ${unit}${more}`;
}

export function mebibytes(octets: number): string {
  return `${(octets / 1024 ** 2).toFixed(0)} MiB`;
}

/** What a peer chose may hold escape sequences. */
export function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e\u00a0-\u{10ffff}]/gu, '?');
}
