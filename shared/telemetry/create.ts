import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { counters } from './counters.ts';
import { type Line, lineLog } from './log.ts';
import { settled } from './memory.ts';
import type { EndableSpan, TelemetryOptions } from './options.ts';
import { repeats } from './repeats.ts';
import type { Telemetry } from './telemetry.ts';
import { formatTrace, parseTrace, type TraceContext } from './trace-context.ts';

/**
 * Logging, tracing and counting of one process. The OpenTelemetry libraries are loaded only if something
 * is configured that needs them; without, a span costs an id and a counter one map entry.
 */
export async function createTelemetry(service: string, options: TelemetryOptions): Promise<Telemetry> {
  const current = new AsyncLocalStorage<TraceContext>();
  const signals =
    options.otlp === undefined && options.prometheus === undefined
      ? undefined
      : await (await import('./signals.ts')).startSignals(service, options);
  const sinks = [pinoSink(service, options, current)];
  if (signals !== undefined) sinks.push((line) => signals.log(line, current.getStore()));
  const log = lineLog(
    sinks,
    options.logLevel,
    repeats(() => performance.now()),
  );
  const counted = counters();
  signals?.onFailure((error) => {
    counted.add('culvert.telemetry.failures', undefined, 1);
    log.warn({ error }, 'telemetry could not be delivered');
  });
  return {
    service,
    log,
    count(name, attributes, by = 1) {
      counted.add(name, attributes, by);
      signals?.count(name, attributes, by);
    },
    counters: () => counted.read(),
    gauge: (name, read) => signals?.gauge(name, read),
    histogram: (name, value, attributes) => signals?.histogram(name, value, attributes),
    newTrace: () => signals?.newTrace() ?? formatTrace(freshContext(undefined)),
    span: (name, trace, attributes, work) => {
      const span = signals?.startSpan(name, trace, attributes) ?? plainSpan(trace);
      const context = parseTrace(span.trace) ?? freshContext(undefined);
      return settled(
        () => current.run(context, work, span),
        (error) => span.end(error),
      );
    },
    flush: async () => {
      await signals?.flush();
    },
  };
}

function freshContext(parent: TraceContext | undefined): TraceContext {
  const traceId = parent?.traceId ?? randomBytes(16).toString('hex');
  return { traceId, spanId: randomBytes(8).toString('hex'), sampled: parent?.sampled ?? true };
}

const nothing = () => undefined;

/** Keeps the trace id going, so that log lines of one session can be found, and records nothing. */
function plainSpan(trace: string | undefined): EndableSpan {
  const parent = parseTrace(trace);
  const own = parent === undefined ? formatTrace(freshContext(undefined)) : formatTrace(parent);
  return { trace: own, recording: false, set: nothing, event: nothing, fail: nothing, end: nothing };
}

function pinoSink(
  service: string,
  options: TelemetryOptions,
  current: AsyncLocalStorage<TraceContext>,
): (line: Line) => void {
  const settings: pino.LoggerOptions = {
    // The level was checked before the line was made.
    level: 'trace',
    base: { node: options.node, service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    mixin() {
      const trace = current.getStore();
      return trace === undefined ? {} : { trace_id: trace.traceId, span_id: trace.spanId };
    },
  };
  const { write } = options;
  const destination = write === undefined ? pino.destination({ fd: 1, sync: true }) : { write };
  const logger = pino(settings, destination);
  return ({ level, fields, message }) => logger[level](fields, message);
}
