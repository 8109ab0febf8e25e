import { expect, test } from 'vitest';
import { inWorld } from '../../test/sim/index.ts';
import { started } from '../../test/sim/toy-host.ts';

const SLOW = '0123456789abcdef';
const ENDING = '0fedcba987654321';
const KEY = '63.0fedcba987654321';

test('a batch that ends late writes nothing of a session that has ended meanwhile', () =>
  inWorld({ seed: 1 }, async (world) => {
    const { storage } = world.broker;
    const toy = await started(world);
    await toy.established(SLOW);
    await toy.established(ENDING);
    // The batch runs into a time-out with one session, while another one waits for the next batch.
    toy.host.input({ do: 'addLazily', session: SLOW, n: 1 });
    await world.run(100);
    storage.lostWrite = 1;
    await world.run(200);
    storage.lostWrite = 0;
    toy.host.input({ do: 'addLazily', session: ENDING, n: 1 });
    await world.run(4_000);
    // It ends, and the deletion of its record is repeated after the batch is done.
    toy.outside.order = () => {
      storage.lostWrite = 1;
      return Promise.resolve(false);
    };
    toy.host.input({ do: 'close', session: ENDING });
    await world.run(100);
    storage.lostWrite = 0;
    await world.run(60_000);
    expect(toy.host.view(ENDING)).toBeUndefined();
    expect(toy.sealedForward(KEY)).toBeUndefined();
    expect([...toy.host.sessions()].map(({ session }) => session)).toEqual([SLOW]);
  }));
