import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { BusObserver } from './observer.ts';

export interface BucketPorts {
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly isConnected: () => boolean;
  readonly onReconnect: (listener: () => void) => () => void;
  readonly observer: BusObserver;
  readonly replicas: number;
  readonly timeoutMs: number;
}

/** The header by which a KV client marks a deletion (NATS ADR-8). */
export const OPERATION = 'KV-Operation';

export function streamOf(bucket: string): string {
  return `KV_${bucket}`;
}

export function subjectOf(bucket: string, key: string): string {
  return `$KV.${bucket}.${key}`;
}
