import { ROOT_CONTEXT, SeverityNumber, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import type { Resource } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import type { Level, Line } from './log.ts';
import { below, EXPORT_TIMEOUT_MS } from './otlp.ts';
import type { TraceContext } from './trace-context.ts';

const SEVERITY: Readonly<Record<Level, SeverityNumber>> = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
};

/** Log lines as OTLP log records: what pino prints, already redacted. */
export function startRecords(resource: Resource, otlp: string) {
  const provider = new LoggerProvider({
    resource,
    processors: [
      new BatchLogRecordProcessor({
        exporter: new OTLPLogExporter({ url: below(otlp, 'v1/logs'), timeoutMillis: EXPORT_TIMEOUT_MS }),
      }),
    ],
  });
  const logger = provider.getLogger('culvert');
  return {
    emit(line: Line, from: TraceContext | undefined): void {
      const context =
        from === undefined
          ? ROOT_CONTEXT
          : trace.setSpanContext(ROOT_CONTEXT, {
              traceId: from.traceId,
              spanId: from.spanId,
              traceFlags: from.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
            });
      logger.emit({
        severityNumber: SEVERITY[line.level],
        severityText: line.level,
        body: line.message,
        attributes: line.fields,
        context,
      });
    },
    flush: () => provider.forceFlush(),
  };
}
