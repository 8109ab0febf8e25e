import type { Telemetry } from '@culvert/telemetry';
import { DROP_REASONS, type EngineCounters } from '../pipeline/index.ts';
import type { IoCounters, PlaneReport } from './plane.ts';

type Counters = Extract<PlaneReport, { type: 'counters' }>;

/** Turns engines' running totals into counter increments. */
export function createCounting(telemetry: Telemetry): (report: Counters) => void {
  const last = new Map<number, { readonly counters: EngineCounters; readonly io: IoCounters }>();
  return (report) => {
    const before = last.get(report.engine);
    for (const reason of DROP_REASONS) {
      const by = report.counters.drops[reason] - (before?.counters.drops[reason] ?? 0);
      if (by > 0) telemetry.count('edge.drops', { reason }, by);
    }
    for (const name of ['espIn', 'espOut', 'keepalives', 'moves', 'icvTruncated'] as const) {
      const by = report.counters[name] - (before?.counters[name] ?? 0);
      if (by > 0) telemetry.count('edge.packets', { kind: name }, by);
    }
    for (const name of Object.keys(report.io) as (keyof IoCounters)[]) {
      const by = report.io[name] - (before?.io[name] ?? 0);
      if (by > 0) telemetry.count('edge.io', { kind: name }, by);
    }
    // Counters of an engine in the same thread are live objects.
    last.set(report.engine, structuredClone({ counters: report.counters, io: report.io }));
  };
}
