import { type Span as OtelSpan, ROOT_CONTEXT, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { Resource } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { EndableSpan } from './options.ts';
import { below, EXPORT_TIMEOUT_MS } from './otlp.ts';
import { printable, printableText } from './printable.ts';
import type { SpanAttributes } from './telemetry.ts';
import { formatTrace, parseTrace } from './trace-context.ts';

export interface Spans {
  newTrace(): string;
  start(name: string, parent: string | undefined, attributes: SpanAttributes): EndableSpan;
  flush(): Promise<void>;
}

export function startSpans(resource: Resource, otlp: string, sampling: number): Spans {
  const provider = new TracerProvider({
    resource,
    // The founding span decides for its session; every service follows the flag it is handed.
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampling) }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url: below(otlp, 'v1/traces'), timeoutMillis: EXPORT_TIMEOUT_MS }),
        maxQueueSize: 8192,
        scheduledDelayMillis: 1000,
      }),
    ],
  });
  const tracer = provider.getTracer('culvert');
  const begin = (name: string, parent: string | undefined, attributes: SpanAttributes) => {
    const from = parseTrace(parent);
    const context =
      from === undefined
        ? ROOT_CONTEXT
        : trace.setSpanContext(ROOT_CONTEXT, {
            traceId: from.traceId,
            spanId: from.spanId,
            traceFlags: from.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
            isRemote: true,
          });
    return tracer.startSpan(name, { attributes: attributesOf(attributes) }, context);
  };
  return {
    newTrace() {
      const root = begin('session', undefined, {});
      root.end();
      return traceparent(root);
    },
    start: (name, parent, attributes) => endable(begin(name, parent, attributes)),
    flush: () => provider.forceFlush(),
  };
}

function endable(span: OtelSpan): EndableSpan {
  return {
    trace: traceparent(span),
    recording: span.isRecording(),
    set: (attributes) => void span.setAttributes(attributesOf(attributes)),
    event: (name, attributes = {}) => void span.addEvent(name, attributesOf(attributes)),
    fail: (message) => void span.setStatus({ code: SpanStatusCode.ERROR, message: printableText(message) }),
    end(error) {
      if (error !== undefined) {
        const message = error instanceof Error ? error.name : 'failed';
        span.setStatus({ code: SpanStatusCode.ERROR, message });
      }
      span.end();
    },
  };
}

function traceparent(span: OtelSpan): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return formatTrace({ traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 });
}

function attributesOf(attributes: SpanAttributes): Record<string, string | number | boolean> {
  const out: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(attributes)) {
    const shown = printable(value);
    out[name] = typeof shown === 'object' ? JSON.stringify(shown) : shown;
  }
  return out;
}
