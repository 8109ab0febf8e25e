import type { Counter, Histogram } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import type { Resource } from '@opentelemetry/resources';
import {
  AggregationType,
  type IMetricReader,
  InstrumentType,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type { TelemetryOptions } from './options.ts';
import { below, EXPORT_TIMEOUT_MS } from './otlp.ts';
import type { Telemetry } from './telemetry.ts';

export interface Meters {
  count(name: string, attributes: Readonly<Record<string, string>> | undefined, by: number): void;
  gauge: Telemetry['gauge'];
  histogram: Telemetry['histogram'];
  flush(): Promise<void>;
}

const EXPORT_EVERY_MS = 15_000;
/** Milliseconds: steps take tenths, checkpoints units, a distressed store thousands. */
const BOUNDARIES = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

export async function startMeters(
  resource: Resource,
  options: TelemetryOptions,
  failed: (error: unknown) => void,
): Promise<Meters> {
  const readers: IMetricReader[] = [];
  if (options.otlp !== undefined) {
    readers.push(
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter({
          url: below(options.otlp, 'v1/metrics'),
          timeoutMillis: EXPORT_TIMEOUT_MS,
        }),
        exportIntervalMillis: EXPORT_EVERY_MS,
      }),
    );
  }
  if (options.prometheus !== undefined) readers.push(await prometheus(options.prometheus, failed));
  const provider = new MeterProvider({
    resource,
    readers,
    views: [
      {
        instrumentType: InstrumentType.HISTOGRAM,
        aggregation: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: BOUNDARIES } },
      },
    ],
  });
  const meter = provider.getMeter('culvert');
  const counted = new Map<string, Counter>();
  const measured = new Map<string, Histogram>();
  return {
    count(name, attributes, by) {
      const counter = counted.get(name) ?? meter.createCounter(name);
      counted.set(name, counter);
      counter.add(by, attributes);
    },
    gauge(name, read) {
      meter.createObservableGauge(name).addCallback((result) => {
        const now = read();
        if (typeof now === 'number') result.observe(now);
        else for (const [value, attributes] of now) result.observe(value, attributes);
      });
    },
    histogram(name, value, attributes) {
      const histogram = measured.get(name) ?? meter.createHistogram(name);
      measured.set(name, histogram);
      histogram.record(value, attributes);
    },
    flush: () => provider.forceFlush(),
  };
}

/** An endpoint that cannot be opened is said, and does not keep the gateway from its work. */
async function prometheus(
  at: { readonly address: string; readonly port: number },
  failed: (error: unknown) => void,
): Promise<PrometheusExporter> {
  const exporter = new PrometheusExporter({
    host: at.address,
    port: at.port,
    preventServerStart: true,
    withoutScopeInfo: true,
  });
  await exporter.startServer().catch(failed);
  return exporter;
}
