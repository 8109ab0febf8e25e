import { type Bucket, encode, RevisionConflict } from '@culvert/bus';
import { buckets } from '@culvert/contracts';
import type { Happening } from '@culvert/kernel';
import type { Engine } from './engine.ts';
import type { Vault } from './protocol.ts';

/**
 * Makes this host the owner of its bucket's sessions. The revision of the winning write is its epoch, the
 * fencing token: it stands in every record the host writes, and the higher one is right. One machine owns
 * every shard, so there is one claim for each bucket.
 */
export async function claim<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
): Promise<number> {
  const owners: Bucket = await engine.ports.bus.bucket(buckets.owners);
  const key = engine.protocol.bucket;
  for (;;) {
    const current = await owners.get(key);
    const term = encode({ since: engine.ports.clock.now() });
    try {
      return current === undefined
        ? await owners.create(key, term)
        : await owners.update(key, term, current.revision);
    } catch (error) {
      // Another host claims at the same moment, or our own write of unknown outcome has landed: once more.
      if (!(error instanceof RevisionConflict)) throw error;
    }
  }
}
