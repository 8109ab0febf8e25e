import { median, table } from '../machine.ts';
import type { ConfigurationName } from './configurations.ts';
import type { Measurements } from './measurement.ts';
import type { Choice, Row } from './rows.ts';
import { met, shown, TARGETS } from './targets.ts';

/** Of several runs. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly n: number;
}

/** What a row comes to in each run in which both of its tests went undisturbed. */
function valuesOf({ figure, to }: Row, measurements: Measurements): number[] {
  const others = to === undefined ? undefined : measurements.series(to.figure);
  return measurements.series(figure).flatMap((value, run) => {
    const other = others?.[run];
    if (value === undefined || (to !== undefined && other === undefined)) return [];
    const result = other === undefined ? value : to?.by === 'ratio' ? value / other : value - other;
    return [result];
  });
}

function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const round = (value: number) => Number(value.toPrecision(4));
  return {
    median: round(median(values)),
    min: round(Math.min(...values)),
    max: round(Math.max(...values)),
    n: values.length,
  };
}

/** The table that people read. */
export function tableOf({ rows, absent }: Choice, measurements: Measurements): string {
  const lines = rows.map((row) => {
    const spread = spreadOf(valuesOf(row, measurements));
    const target = TARGETS[row.key];
    const reached = spread === undefined || target === undefined ? '' : met(target, spread.median);
    return [
      row.what,
      row.key,
      spread === undefined ? '-' : String(spread.median),
      spread === undefined ? '-' : `${spread.min}..${spread.max}`,
      String(spread?.n ?? 0),
      target === undefined ? '' : shown(target),
      reached === '' ? '' : reached ? 'met' : 'not met',
    ];
  });
  const head = ['row', 'key', 'median', 'min..max', 'n', 'target', ''];
  const missing = absent.map(({ key, why }) => `${key}: not measured, ${why}\n`);
  return `${table(head, lines)}\n${missing.join('')}`;
}

/** The same for programs: a flat median by key, and the spread of each row and of each test behind them. */
export function jsonOf(
  { rows, absent }: Choice,
  measurements: Measurements,
  about: Readonly<Record<string, unknown>>,
): string {
  const spreads = rows.flatMap(({ key, ...row }): [string, Spread][] => {
    const spread = spreadOf(valuesOf({ key, ...row }, measurements));
    return spread === undefined ? [] : [[key, spread]];
  });
  const targets = spreads.flatMap(([key, spread]) => {
    const target = TARGETS[key];
    return target === undefined ? [] : [[key, { ...target, met: met(target, spread.median) }]];
  });
  return JSON.stringify({
    ...Object.fromEntries(spreads.map(([key, spread]) => [key, spread.median])),
    rows: Object.fromEntries(spreads),
    targets: Object.fromEntries(targets),
    tests: testsOf(measurements),
    absent: Object.fromEntries(absent.map(({ key, why }) => [key, why])),
    disturbed: measurements.disturbed,
    failures: measurements.failures,
    ...about,
  });
}

function testsOf(measurements: Measurements): Record<string, Record<string, Spread>> {
  const tests = measurements.tests().map(([configuration, load, names]): [string, Record<string, Spread>] => {
    const figures = names.flatMap((name): [string, Spread][] => {
      const series = measurements.series([configuration, load, name]);
      const spread = spreadOf(series.filter((value) => value !== undefined));
      return spread === undefined ? [] : [[name, spread]];
    });
    return [testName(configuration, load), Object.fromEntries(figures)];
  });
  return Object.fromEntries(tests);
}

function testName(configuration: ConfigurationName, load: string): string {
  return `${configuration} ${load}`;
}
