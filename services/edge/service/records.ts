import { createHash } from 'node:crypto';
import { type Bus, type Entry, encode, type Subscription } from '@culvert/bus';
import { buckets, type ForwardEntry } from '@culvert/contracts';
import { type Clock, readForwardPart, type Sealer } from '@culvert/host';
import type { Telemetry } from '@culvert/telemetry';
import type { Declaration } from '../pipeline/index.ts';

/** The buckets whose records have a forward part. */
export const RECORD_BUCKETS = [buckets.ike, buckets.l2tp, buckets.ppp] as const;

export interface RecordsOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly telemetry: Telemetry;
  readonly declared: (declaration: Declaration) => void;
  /** After `declared`, and also for changes that declare nothing new. */
  readonly applied: (bucket: string, revision: number) => void;
  /** Once: every present record was handed over. */
  readonly caughtUp: () => void;
}

const RETRY_MS = 500;

/** Watches the records and hands over what changed in their forward parts. */
export function watchRecords(options: RecordsOptions): { stop(): void } {
  const subscriptions: Subscription[] = [];
  /** Per bucket and key: digest of the entries declared last. */
  const last = new Map<string, string>();
  let behind: number = RECORD_BUCKETS.length;
  let stopped = false;

  const changed = (bucket: string, entry: Entry) => {
    const session = entry.key.split('.')[1];
    if (session === undefined) return;
    const entries = entriesOf(options, bucket, entry);
    const place = `${bucket}|${entry.key}`;
    const print = entries.length === 0 ? '' : digestOf(entries);
    if (print !== (last.get(place) ?? '')) {
      if (print === '') last.delete(place);
      else last.set(place, print);
      options.declared({ session, bucket, entries });
    }
    options.applied(bucket, entry.revision);
  };

  const watch = async (name: string): Promise<void> => {
    try {
      const bucket = await options.bus.bucket(name);
      let first = true;
      const caughtUp = () => {
        if (!first) return;
        first = false;
        behind -= 1;
        if (behind === 0) options.caughtUp();
      };
      const subscription = await bucket.watch('>', (entry) => changed(name, entry), caughtUp);
      if (stopped) subscription.close();
      else subscriptions.push(subscription);
    } catch (error) {
      if (stopped) return;
      options.telemetry.log.debug({ bucket: name, error: String(error) }, 'records cannot be watched yet');
      options.clock.after(RETRY_MS, () => void watch(name));
    }
  };

  for (const name of RECORD_BUCKETS) void watch(name);
  return {
    stop() {
      stopped = true;
      for (const subscription of subscriptions.splice(0)) subscription.close();
    },
  };
}

/** A record that this cluster's key did not seal declares nothing, and says so. */
function entriesOf(options: RecordsOptions, bucket: string, entry: Entry): readonly ForwardEntry[] {
  try {
    return readForwardPart(options.sealer, bucket, entry)?.entries ?? [];
  } catch (error) {
    const { telemetry } = options;
    telemetry.count('edge.record_unreadable', { bucket });
    telemetry.log.error(
      { bucket, key: entry.key, error: String(error) },
      'a record cannot be read: nothing is forwarded for it',
    );
    return [];
  }
}

function digestOf(entries: readonly ForwardEntry[]): string {
  return createHash('sha256').update(encode(entries)).digest('base64');
}
