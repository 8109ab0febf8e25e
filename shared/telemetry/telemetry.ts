/** What a service sees of logging, tracing and counting. Off the shelf behind it; cheap when off. */
export interface Telemetry {
  readonly service: string;
  readonly log: Log;
  /** A counter: monotone, dimension values from closed sets. */
  count(name: string, attributes?: Readonly<Record<string, string>>, by?: number): void;
  /** A value read when metrics are collected. */
  gauge(
    name: string,
    read: () => number | Iterable<readonly [number, Readonly<Record<string, string>>]>,
  ): void;
  histogram(name: string, value: number, attributes?: Readonly<Record<string, string>>): void;
  /** Counters since start, `name{a=b}` -> value: what `culvert status` shows. */
  counters(): Readonly<Record<string, number>>;
  /** A new trace for a new session; answers its W3C traceparent. */
  newTrace(): string;
  /** Runs `work` in a span below `trace`; the span's own traceparent goes out with messages. */
  span<T>(name: string, trace: string | undefined, attributes: SpanAttributes, work: (span: Span) => T): T;
  flush(): Promise<void>;
}

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface Span {
  readonly trace: string;
  /** False when nobody will see what is set: spare the work of describing. */
  readonly recording: boolean;
  set(attributes: SpanAttributes): void;
  event(name: string, attributes?: SpanAttributes): void;
  fail(message: string): void;
}

/** Structured log lines; `fields` may hold anything but secrets, and secret types print as `[secret]`. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Log;
}
