import type { Level } from './log.ts';
import type { Span } from './telemetry.ts';

export interface TelemetryOptions {
  readonly node: string;
  readonly version: string;
  readonly logLevel: Level;
  /** Base URL of an OTLP/HTTP receiver; traces, metrics and logs go below it. Off when undefined. */
  readonly otlp?: string | undefined;
  /** Where to serve Prometheus metrics. Off when undefined. */
  readonly prometheus?: { readonly address: string; readonly port: number } | undefined;
  /** Share of sessions that are traced, 0..1. */
  readonly sampling: number;
  /** Where lines go; standard output when undefined. */
  readonly write?: ((line: string) => void) | undefined;
}

/** A span as its maker sees it: whoever works below it cannot end it. */
export interface EndableSpan extends Span {
  end(error: unknown): void;
}
