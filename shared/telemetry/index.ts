export type { Log, Span, SpanAttributes, Telemetry } from './telemetry.ts';
