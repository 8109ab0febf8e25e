import { PubHeaders, StorageType } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { headers } from '@nats-io/transport-node';
import { type Bucket, BusUnavailable, type Entry, RevisionConflict } from './bus.ts';
import { failureOf } from './failures.ts';
import { type BucketPorts, OPERATION, streamOf, subjectOf } from './kv-names.ts';
import { watchBucket } from './nats-watch.ts';
import { type Tombstones, tombstones } from './tombstones.ts';

const DELETE = 'DEL';

/**
 * Opens the bucket, or makes it. Reads go to the leader (`allow_direct: false`): a replica may be behind,
 * and a read after a write of unknown outcome must not be.
 */
export async function openBucket(name: string, ports: BucketPorts): Promise<Bucket> {
  await ensure(name, ports);
  // A server that lost its storage comes back without the bucket.
  ports.onReconnect(() => void ensure(name, ports).catch((error: unknown) => complain(name, ports, error)));
  return natsBucket(name, ports, tombstones(ports.manager, streamOf(name), ports.observer));
}

async function ensure(name: string, ports: BucketPorts): Promise<void> {
  if (!ports.isConnected()) throw new BusUnavailable(`bucket ${name}: not connected`);
  try {
    await new Kvm(ports.client).create(name, {
      history: 1,
      storage: StorageType.File,
      replicas: ports.replicas,
      allow_direct: false,
    });
  } catch (error) {
    throw failureOf(error, `bucket ${name}`);
  }
}

function complain(bucket: string, ports: BucketPorts, error: unknown): void {
  ports.observer.log.warn({ bucket, error }, 'a bucket could not be checked after reconnecting');
}

function natsBucket(name: string, ports: BucketPorts, graves: Tombstones): Bucket {
  const what = (key: string) => `${name}/${key}`;
  const write = async (
    key: string,
    value: Uint8Array | undefined,
    expected: number | undefined,
  ): Promise<number> => {
    if (!ports.isConnected()) throw new BusUnavailable(`${what(key)}: not connected`);
    const map = headers();
    if (expected !== undefined) map.set(PubHeaders.ExpectedLastSubjectSequenceHdr, `${expected}`);
    if (value === undefined) map.set(OPERATION, DELETE);
    try {
      const subject = subjectOf(name, key);
      const ack = await ports.client.publish(subject, value ?? new Uint8Array(), {
        headers: map,
        timeout: ports.timeoutMs,
      });
      if (value === undefined) graves.add(ack.seq);
      return ack.seq;
    } catch (error) {
      throw failureOf(error, what(key));
    }
  };
  /** The key's last message, a deletion included. */
  const last = async (key: string): Promise<Entry | undefined> => {
    if (!ports.isConnected()) throw new BusUnavailable(`${what(key)}: not connected`);
    try {
      const query = { last_by_subj: subjectOf(name, key) };
      const found = await ports.manager.streams.getMessage(streamOf(name), query);
      if (found === null) return undefined;
      const deleted = (found.header.get(OPERATION) ?? '') !== '';
      return { key, value: deleted ? undefined : Uint8Array.from(found.data), revision: found.seq };
    } catch (error) {
      throw failureOf(error, what(key));
    }
  };
  return {
    name,
    async get(key) {
      const entry = await last(key);
      return entry?.value === undefined ? undefined : entry;
    },
    async create(key, value) {
      try {
        return await write(key, value, 0);
      } catch (error) {
        if (!(error instanceof RevisionConflict)) throw error;
        // A deleted key still has a revision: that of its deletion.
        const entry = await last(key);
        if (entry === undefined || entry.value !== undefined) throw error;
        return await write(key, value, entry.revision);
      }
    },
    update: (key, value, revision) => write(key, value, revision),
    async delete(key, revision) {
      await write(key, undefined, revision);
    },
    watch: (filter, handler, caughtUp) => watchBucket(name, ports, graves, { filter, handler, caughtUp }),
  };
}
