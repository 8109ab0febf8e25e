import { type Bucket, BusUnavailable, type Entry, RevisionConflict } from '@culvert/bus';
import type { Happening } from '@culvert/kernel';
import { backOff } from './backoff.ts';
import { type Engine, Fenced, Stopped } from './engine.ts';
import type { Vault } from './protocol.ts';

/**
 * Writes these octets at this revision, however long it takes, and answers the new revision. Throws
 * Fenced when somebody else has written.
 *
 * A write whose outcome nobody knows may still land later. The octets are sealed with a fresh nonce, so
 * finding them in the bucket proves that it was ours; the same octets are repeated until they are in.
 */
export function writeRecord<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  key: string,
  octets: Uint8Array,
  revision: number,
): Promise<number> {
  const attempt = (bucket: Bucket) =>
    revision === 0 ? bucket.create(key, octets) : bucket.update(key, octets, revision);
  const ours = async (bucket: Bucket) => {
    const entry = await bucket.get(key);
    return entry?.value !== undefined && Buffer.compare(entry.value, octets) === 0
      ? entry.revision
      : undefined;
  };
  return persist(engine, key, attempt, ours);
}

/** Deletes the record at this revision. */
export async function deleteRecord<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  key: string,
  revision: number,
): Promise<void> {
  const attempt = async (bucket: Bucket) => {
    await bucket.delete(key, revision);
    return 0;
  };
  const gone = async (bucket: Bucket) => ((await bucket.get(key)) === undefined ? 0 : undefined);
  await persist(engine, key, attempt, gone);
}

/** Repeats `attempt` until its outcome is known; `done` tells whether an earlier one got through. */
async function persist<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  key: string,
  attempt: (bucket: Bucket) => Promise<number>,
  done: (bucket: Bucket) => Promise<number | undefined>,
): Promise<number> {
  const { telemetry } = engine.ports;
  const started = engine.ports.clock.elapsed();
  const observed = (revision: number) => {
    telemetry.histogram('culvert.host.checkpoint.ms', engine.ports.clock.elapsed() - started, {
      protocol: engine.protocol.name,
    });
    return revision;
  };
  let doubt = false;
  let failures = 0;
  try {
    for (;;) {
      const bucket = engine.bucket;
      if (bucket === undefined || engine.phase === 'stopped') throw new Stopped(`${key} was not written`);
      try {
        if (doubt) {
          const revision = await done(bucket);
          if (revision !== undefined) return observed(revision);
        }
        return observed(await attempt(bucket));
      } catch (error) {
        if (error instanceof RevisionConflict) {
          // Our own write of unknown outcome may have landed just now, and be what we collide with.
          const revision = doubt ? await settled(engine, bucket, done) : undefined;
          if (revision !== undefined) return observed(revision);
          throw new Fenced(error.message);
        }
        if (!(error instanceof BusUnavailable)) throw error;
        doubt ||= error.unknownOutcome;
        telemetry.count('culvert.host.checkpoint.failures', { protocol: engine.protocol.name });
      }
      failures += 1;
      if (failures === 2) engine.stalled += 1;
      await backOff(engine.ports, failures);
    }
  } finally {
    if (failures >= 2) engine.stalled -= 1;
  }
}

/** Reads until an answer is had. */
async function settled<I, B, E extends Happening, V extends Vault, T>(
  engine: Engine<I, B, E, V>,
  bucket: Bucket,
  read: (bucket: Bucket) => Promise<T>,
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    if (engine.phase === 'stopped') throw new Stopped('outcome unknown');
    try {
      return await read(bucket);
    } catch (error) {
      if (!(error instanceof BusUnavailable)) throw error;
    }
    await backOff(engine.ports, failures);
  }
}

export async function readRecord<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  key: string,
): Promise<Entry | undefined> {
  const { bucket } = engine;
  if (bucket === undefined) throw new Stopped(`${key} was not read`);
  return await settled(engine, bucket, (store) => store.get(key));
}
