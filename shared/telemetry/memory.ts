import { counters, seriesKey } from './counters.ts';
import { type Level, type Line, lineLog } from './log.ts';
import { type Printable, printable } from './printable.ts';
import type { Span, SpanAttributes, Telemetry } from './telemetry.ts';
import { formatTrace, parseTrace } from './trace-context.ts';

export interface RecordedSpan {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly attributes: Record<string, Printable>;
  readonly events: { readonly name: string; readonly attributes: Readonly<Record<string, Printable>> }[];
  failure: string | undefined;
  ended: boolean;
}

/** Telemetry that remembers: for tests and the simulator. Ids are counted, so that runs repeat exactly. */
export interface MemoryTelemetry extends Telemetry {
  readonly spans: readonly RecordedSpan[];
  readonly lines: readonly Line[];
  gauges(): Readonly<Record<string, number>>;
  /** Values given to a histogram, in order. */
  histograms(): Readonly<Record<string, readonly number[]>>;
}

/** Long simulations would otherwise keep everything they ever did. */
const KEPT_MAX = 20_000;

export function memoryTelemetry(
  service: string,
  options: { readonly logLevel?: Level } = {},
): MemoryTelemetry {
  const spans: RecordedSpan[] = [];
  const lines: Line[] = [];
  const counted = counters();
  const gauges = new Map<
    string,
    () => number | Iterable<readonly [number, Readonly<Record<string, string>>]>
  >();
  const histograms = new Map<string, number[]>();
  const keep = <T>(list: T[], item: T) => {
    if (list.length >= KEPT_MAX) list.shift();
    list.push(item);
  };
  // The service's name keeps the ids of several services of one run apart.
  const prefix = Array.from(service, (letter) =>
    (letter.codePointAt(0) ?? 0).toString(16).padStart(2, '0'),
  ).join('');
  let issued = 0;
  const nextId = (digits: number) => {
    issued += 1;
    return prefix.slice(0, 8).padEnd(digits - 8, '0') + issued.toString(16).padStart(8, '0');
  };
  const begin = (name: string, trace: string | undefined, attributes: SpanAttributes): RecordedSpan => {
    const parent = parseTrace(trace);
    const span: RecordedSpan = {
      service,
      name,
      traceId: parent?.traceId ?? nextId(32),
      spanId: nextId(16),
      parentId: parent?.spanId,
      attributes: printableAttributes(attributes),
      events: [],
      failure: undefined,
      ended: false,
    };
    keep(spans, span);
    return span;
  };
  return {
    service,
    spans,
    lines,
    log: lineLog([(line) => keep(lines, line)], options.logLevel ?? 'debug', undefined),
    count: (name, attributes, by = 1) => counted.add(name, attributes, by),
    counters: () => counted.read(),
    gauge: (name, read) => void gauges.set(name, read),
    gauges: () => Object.fromEntries([...gauges].flatMap(([name, read]) => readings(name, read()))),
    histogram(name, value, attributes) {
      const key = seriesKey(name, attributes);
      const values = histograms.get(key) ?? [];
      histograms.set(key, values);
      keep(values, value);
    },
    histograms: () => Object.fromEntries(histograms),
    newTrace() {
      const root = begin('session', undefined, {});
      root.ended = true;
      return formatTrace({ traceId: root.traceId, spanId: root.spanId, sampled: true });
    },
    span: (name, trace, attributes, work) => runRecorded(begin(name, trace, attributes), work),
    flush: () => Promise.resolve(),
  };
}

function runRecorded<T>(recorded: RecordedSpan, work: (span: Span) => T): T {
  const span: Span = {
    trace: formatTrace({ traceId: recorded.traceId, spanId: recorded.spanId, sampled: true }),
    recording: true,
    set: (attributes) => void Object.assign(recorded.attributes, printableAttributes(attributes)),
    event: (name, attributes = {}) =>
      void recorded.events.push({ name, attributes: printableAttributes(attributes) }),
    fail(message) {
      recorded.failure = message;
    },
  };
  return settled(
    () => work(span),
    (error) => {
      if (error !== undefined) recorded.failure ??= error instanceof Error ? error.name : 'failed';
      recorded.ended = true;
    },
  );
}

/** Calls `ended` when the work is over: at once, or when its promise settles. */
export function settled<T>(work: () => T, ended: (error: unknown) => void): T {
  let result: T;
  try {
    result = work();
  } catch (error) {
    ended(error ?? 'failed');
    throw error;
  }
  if (!(result instanceof Promise)) {
    ended(undefined);
    return result;
  }
  return result.then(
    (value: unknown) => {
      ended(undefined);
      return value;
    },
    (error: unknown) => {
      ended(error ?? 'failed');
      throw error;
    },
  ) as T;
}

function printableAttributes(attributes: SpanAttributes): Record<string, Printable> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, printable(value)]));
}

function readings(
  name: string,
  read: number | Iterable<readonly [number, Readonly<Record<string, string>>]>,
): [string, number][] {
  if (typeof read === 'number') return [[name, read]];
  return [...read].map(([value, attributes]) => [seriesKey(name, attributes), value]);
}
