import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { daemon, until } from './command.ts';
import type { Network } from './network.ts';

/** A span as OTLP's JSON has it; times are nanoseconds since 1970 as text. */
export interface Span {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  /** The attributes that are text. */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Traces {
  readonly endpoint: string;
  /** All spans so far by trace, each trace in order of time. */
  read(): ReadonlyMap<string, readonly Span[]>;
}

const PORT = 4318;

/** A receiver on the gateway's loopback. */
export async function startTraces(network: Network, directory: string): Promise<Traces> {
  const file = join(directory, 'spans.jsonl');
  const program = join(import.meta.dirname, 'otlp-receiver.ts');
  const log = join(directory, 'otlp-receiver.log');
  daemon(log, ...network.within('gateway', process.execPath, program, `${PORT}`, file));
  await until('the OTLP receiver', 10_000, async () => (existsSync(log) ? true : undefined));
  return {
    endpoint: `http://127.0.0.1:${PORT}`,
    read: () => {
      const traces = new Map<string, Span[]>();
      if (!existsSync(file)) return traces;
      for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
        const span = JSON.parse(line) as Span;
        const trace = traces.get(span.traceId) ?? [];
        trace.push(span);
        traces.set(span.traceId, trace);
      }
      const byTime = (a: Span, b: Span): number =>
        Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano));
      for (const trace of traces.values()) trace.sort(byTime);
      return traces;
    },
  };
}
