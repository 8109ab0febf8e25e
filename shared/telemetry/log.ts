import { type Printable, printableFields, printableText } from './printable.ts';
import type { Repeats } from './repeats.ts';
import type { Log } from './telemetry.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** A finished line: everything in it may be printed. */
export interface Line {
  readonly level: Level;
  readonly message: string;
  readonly fields: Readonly<Record<string, Printable>>;
}

const RANK: Readonly<Record<Level, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
const MESSAGE_MAX = 1024;

/** Redaction and the limit on repetitions, in front of every sink. */
export function lineLog(
  sinks: readonly ((line: Line) => void)[],
  least: Level,
  limit: Repeats | undefined,
  base: Readonly<Record<string, Printable>> = {},
): Log {
  const write = (level: Level) => (fields: object, message: string) => {
    if (RANK[level] < RANK[least]) return;
    const heldBack = limit === undefined ? 0 : limit.pass(`${level} ${message}`);
    if (heldBack === undefined) return;
    const line: Line = {
      level,
      message: printableText(message, MESSAGE_MAX),
      fields: { ...base, ...printableFields(fields), ...(heldBack === 0 ? {} : { heldBack }) },
    };
    for (const sink of sinks) sink(line);
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => lineLog(sinks, least, limit, { ...base, ...printableFields(fields) }),
  };
}
