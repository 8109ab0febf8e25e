import { JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';
import type { BusObserver } from './observer.ts';

/**
 * A deletion in a KV bucket is a message that stays for ever, one per key ever used. They are removed
 * once every watcher has had time to see them; one that was away for longer compares what it knows
 * with what is there when it comes back.
 */
export interface Tombstones {
  /** A deletion with this revision was written or seen. */
  add(revision: number): void;
}

const KEPT_MS = 10 * 60_000;
const SWEEP_MS = 60_000;
const PENDING_MAX = 100_000;
const PER_SWEEP = 1000;

export function tombstones(manager: JetStreamManager, stream: string, observer: BusObserver): Tombstones {
  const pending = new Map<number, number>();
  let timer: NodeJS.Timeout | undefined;
  const sweep = async () => {
    timer = undefined;
    const due = performance.now() - KEPT_MS;
    let removed = 0;
    for (const [revision, since] of pending) {
      if (since > due || removed >= PER_SWEEP) break;
      pending.delete(revision);
      removed += 1;
      try {
        await manager.streams.deleteMessage(stream, revision, false);
      } catch (error) {
        // Not found: the key was written again, or another process swept first.
        if (!(error instanceof JetStreamApiError)) {
          observer.log.debug({ stream, error }, 'a tombstone stays for now');
          pending.set(revision, performance.now());
          break;
        }
      }
    }
    arm();
  };
  const arm = () => {
    if (timer !== undefined || pending.size === 0) return;
    timer = setTimeout(() => void sweep(), SWEEP_MS);
    timer.unref();
  };
  return {
    add(revision) {
      if (pending.size >= PENDING_MAX || pending.has(revision)) return;
      pending.set(revision, performance.now());
      arm();
    },
  };
}
