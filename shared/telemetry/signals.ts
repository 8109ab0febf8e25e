import { setTimeout as delay } from 'node:timers/promises';
import { setGlobalErrorHandler } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { Line } from './log.ts';
import { startMeters } from './meters.ts';
import type { EndableSpan, TelemetryOptions } from './options.ts';
import { startRecords } from './records.ts';
import { startSpans } from './spans.ts';
import type { SpanAttributes, Telemetry } from './telemetry.ts';
import type { TraceContext } from './trace-context.ts';

/** The OpenTelemetry side of a process: everything that is sent or served. */
export interface Signals {
  log(line: Line, trace: TraceContext | undefined): void;
  count(name: string, attributes: Readonly<Record<string, string>> | undefined, by: number): void;
  gauge: Telemetry['gauge'];
  histogram: Telemetry['histogram'];
  /** Undefined when traces are not sent. */
  newTrace(): string | undefined;
  startSpan(name: string, trace: string | undefined, attributes: SpanAttributes): EndableSpan | undefined;
  onFailure(listener: (error: unknown) => void): void;
  flush(): Promise<void>;
}

/** A process that stops does not wait longer than this for a receiver that does not answer. */
const FLUSH_MS = 3000;

export async function startSignals(service: string, options: TelemetryOptions): Promise<Signals> {
  const resource = resourceFromAttributes({
    'service.namespace': 'culvert',
    'service.name': `culvert-${service}`,
    'service.version': options.version,
    'service.instance.id': options.node,
    'host.name': options.node,
  });
  // Until somebody listens, failures wait.
  const early: unknown[] = [];
  let failed: (error: unknown) => void = (error) => void early.push(error);
  // Receivers come and go; their absence is counted, and never stops or slows the gateway.
  setGlobalErrorHandler((error) => failed(error));
  const meters = await startMeters(resource, options, (error) => failed(error));
  const spans = options.otlp === undefined ? undefined : startSpans(resource, options.otlp, options.sampling);
  const records = options.otlp === undefined ? undefined : startRecords(resource, options.otlp);
  return {
    log: (line, trace) => records?.emit(line, trace),
    count: meters.count,
    gauge: meters.gauge,
    histogram: meters.histogram,
    newTrace: () => spans?.newTrace(),
    startSpan: (name, trace, attributes) => spans?.start(name, trace, attributes),
    onFailure(listener) {
      failed = listener;
      for (const error of early.splice(0)) listener(error);
    },
    async flush() {
      const all = Promise.allSettled([meters.flush(), spans?.flush(), records?.flush()]);
      const results = await Promise.race([all, delay(FLUSH_MS, [], { ref: false })]);
      for (const result of results) if (result.status === 'rejected') failed(result.reason);
    },
  };
}
