import type { Telemetry } from '@culvert/telemetry';
import type { EngineLoad, PlaneReport } from './plane.ts';

/** One packet engine as operators see it. */
interface EngineView {
  cipher: string;
  /** Of the last interval, 0 to 1. */
  busy: number;
  load?: EngineLoad;
}

export interface Engines {
  started(report: Extract<PlaneReport, { type: 'started' }>): void;
  heard(report: Extract<PlaneReport, { type: 'counters' }>): void;
  /** For `culvert status`. */
  details(): Readonly<Record<string, string | number>>;
}

const MICROSECONDS = 1e6;

/** Gauges of each engine: cipher, busy share, what waits; and how long packets were in it. */
export function createEngines(telemetry: Telemetry): Engines {
  const engines = new Map<number, EngineView>();
  const viewOf = (engine: number): EngineView => {
    const known = engines.get(engine) ?? { cipher: '', busy: 0 };
    engines.set(engine, known);
    return known;
  };
  const observed = (read: (view: EngineView) => number) => () =>
    [...engines].map(([engine, view]) => [read(view), { engine: String(engine) }] as const);
  telemetry.gauge(
    'edge.engine_busy',
    observed(({ busy }) => busy),
  );
  telemetry.gauge(
    'edge.engine_queue_octets',
    observed(({ load }) => load?.queueOctets ?? 0),
  );
  telemetry.gauge(
    'edge.engine_queue_octets_max',
    observed(({ load }) => load?.queueOctetsMax ?? 0),
  );
  telemetry.gauge('edge.engine_info', () =>
    [...engines].map(([engine, { cipher }]) => [1, { engine: String(engine), cipher }] as const),
  );
  return {
    started({ engine, backend }) {
      viewOf(engine).cipher = backend;
    },
    heard({ engine, load }) {
      const view = viewOf(engine);
      const busy = load.busyNs - (view.load?.busyNs ?? 0);
      const idle = load.idleNs - (view.load?.idleNs ?? 0);
      view.busy = busy + idle > 0 ? busy / (busy + idle) : 0;
      countLatency(telemetry, engine, load.latency, view.load?.latency ?? []);
      view.load = load;
    },
    details: () =>
      Object.fromEntries(
        [...engines].flatMap(([engine, { cipher, busy, load }]) => [
          [`engine${engine}`, cipher],
          [`engine${engine}Busy`, Number(busy.toFixed(3))],
          [`engine${engine}QueueOctets`, load?.queueOctets ?? 0],
        ]),
      ),
  };
}

/** Cumulative, as Prometheus has histograms: packets that were in the engine for at most `le` seconds. */
function countLatency(
  telemetry: Telemetry,
  engine: number,
  latency: readonly number[],
  before: readonly number[],
): void {
  let within = 0;
  for (const [bucket, packets] of latency.entries()) {
    within += packets - (before[bucket] ?? 0);
    if (within === 0) continue;
    const last = bucket === latency.length - 1;
    const le = last ? '+Inf' : String(2 ** bucket / 4 / MICROSECONDS);
    telemetry.count('edge.engine_latency_bucket', { engine: String(engine), le }, within);
  }
}
