/** W3C Trace Context, level 1: `00-<trace id>-<parent id>-<flags>`. */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
}

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Undefined for anything that is not a valid traceparent: it then counts as absent. */
export function parseTrace(traceparent: string | undefined): TraceContext | undefined {
  const found = traceparent === undefined ? null : TRACEPARENT.exec(traceparent);
  if (found === null) return undefined;
  const [, traceId = '', spanId = '', flags = '00'] = found;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function formatTrace({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}
