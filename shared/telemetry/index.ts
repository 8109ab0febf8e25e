export { createTelemetry } from './create.ts';
export type { Level, Line } from './log.ts';
export { type MemoryTelemetry, memoryTelemetry, type RecordedSpan } from './memory.ts';
export type { TelemetryOptions } from './options.ts';
export { type Printable, printable, printableText } from './printable.ts';
export type { Log, Span, SpanAttributes, Telemetry } from './telemetry.ts';
export { formatTrace, parseTrace, type TraceContext } from './trace-context.ts';
