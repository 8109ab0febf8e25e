import { type ConsumerMessages, DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import type { Entry, Subscription } from './bus.ts';
import { failureOf } from './failures.ts';
import { type BucketPorts, OPERATION, streamOf, subjectOf } from './kv-names.ts';
import type { Tombstones } from './tombstones.ts';

interface Watching {
  readonly filter: string;
  readonly handler: (entry: Entry) => void;
  readonly caughtUp: (() => void) | undefined;
}

const RETRY_FIRST_MS = 100;
const RETRY_CAP_MS = 5000;

/**
 * An ordered consumer over the last message of each key. After every reconnection it starts afresh and
 * compares with what was handed over before: entries that changed are handed over, keys that went while
 * nobody looked are handed over as deleted.
 */
export async function watchBucket(
  bucket: string,
  ports: BucketPorts,
  graves: Tombstones,
  watching: Watching,
): Promise<Subscription> {
  const known = new Map<string, number>();
  let { caughtUp } = watching;
  let closed = false;
  let round = 0;
  let messages: ConsumerMessages | undefined;
  let retry: NodeJS.Timeout | undefined;

  const hand = (entry: Entry) => {
    try {
      watching.handler(entry);
    } catch (error) {
      ports.observer.count('culvert.bus.handler.faults');
      ports.observer.log.error({ bucket, error }, 'a watch handler failed');
    }
  };
  const start = async (mine: number) => {
    const consumer = await ports.client.consumers.getPushConsumer(streamOf(bucket), {
      // One filter, not a list: servers before 2.10 know no other.
      filter_subjects: subjectOf(bucket, watching.filter),
      deliver_policy: DeliverPolicy.LastPerSubject,
    });
    let ahead = (await consumer.info(true)).num_pending;
    const seen = new Set<string>();
    const present = () => {
      for (const [key, revision] of known) {
        if (seen.has(key)) continue;
        known.delete(key);
        hand({ key, value: undefined, revision });
      }
      caughtUp?.();
      caughtUp = undefined;
    };
    if (closed || mine !== round) return;
    messages = await consumer.consume({
      callback(msg) {
        if (closed || mine !== round) return;
        const entry = entryOf(bucket, msg);
        if (entry.value === undefined) graves.add(entry.revision);
        if (ahead > 0) seen.add(entry.key);
        take(known, entry, hand);
        ahead -= 1;
        if (ahead === 0) present();
      },
    });
    if (ahead === 0) present();
  };
  const restart = async (failures: number): Promise<void> => {
    round += 1;
    const mine = round;
    messages?.stop();
    try {
      await start(mine);
    } catch (error) {
      if (closed || mine !== round) return;
      ports.observer.log.debug({ bucket, error }, 'a watch could not start yet');
      const waitMs = Math.min(RETRY_CAP_MS, RETRY_FIRST_MS * 2 ** Math.min(failures, 10));
      retry = setTimeout(() => void restart(failures + 1), waitMs);
    }
  };
  const forget = ports.onReconnect(() => {
    clearTimeout(retry);
    void restart(0);
  });
  try {
    round = 1;
    await start(1);
  } catch (error) {
    closed = true;
    forget();
    throw failureOf(error, `watch of ${bucket}`);
  }
  return {
    close() {
      closed = true;
      forget();
      clearTimeout(retry);
      messages?.stop();
    },
  };
}

/** Hands over what is new; a deletion of what was never there is nothing. */
function take(known: Map<string, number>, entry: Entry, hand: (entry: Entry) => void): void {
  const before = known.get(entry.key);
  if (before === entry.revision || (before === undefined && entry.value === undefined)) return;
  if (entry.value === undefined) known.delete(entry.key);
  else known.set(entry.key, entry.revision);
  hand(entry);
}

function entryOf(bucket: string, msg: JsMsg): Entry {
  const key = msg.subject.slice(subjectOf(bucket, '').length);
  const deleted = (msg.headers?.get(OPERATION) ?? '') !== '';
  return { key, value: deleted ? undefined : Uint8Array.from(msg.data), revision: msg.seq };
}
