import { expect, test } from 'vitest';
import { inWorld } from '../../test/sim/index.ts';
import { started, type Toy } from '../../test/sim/toy-host.ts';
import { tallyOf } from '../../test/sim/toy-protocol.ts';

const S = '0123456789abcdef';
const T = '0fedcba987654321';
const KEY_S = '4.0123456789abcdef';
const KEY_T = '63.0fedcba987654321';

/** A session whose only machine is `tally/new`, as a second ISAKMP SA that is about to join. */
function joining(toy: Toy, session: string): void {
  toy.host.input({ do: 'found', session, as: 'new' });
}

test('machines, timers, vault and what is under way go along', () =>
  inWorld({ seed: 10 }, async (world) => {
    const toy = await started(world);
    await toy.established(S);
    joining(toy, T);
    toy.host.input({ do: 'arm', session: T, ms: 1000, as: 'new' });
    toy.host.input({ do: 'add', session: T, n: 2, as: 'new' });
    let answered: (value: number) => void = () => undefined;
    toy.outside.compute = () =>
      new Promise((resolve) => {
        answered = resolve;
      });
    toy.host.input({ do: 'compute', session: T, n: 1, as: 'new' });
    await world.run(10);
    toy.host.move(T, S);
    await world.run(10);
    expect(toy.host.view(T)).toBeUndefined();
    expect(Object.keys(toy.view(S).state).sort()).toEqual(['mirror', 'tally', 'tally/new']);
    expect(toy.view(S).vault.sealed).toBe(1);
    expect(toy.outside.closed).toEqual([T]);
    expect(toy.outside.restored).toEqual([S]);
    answered(40);
    await world.run(1000);
    const moved = toy.view(S).state['tally/new']?.context as { firings: number };
    expect(moved.firings).toBe(1);
    toy.crash();
    const next = await started(world);
    expect(Object.keys(next.view(S).state).sort()).toEqual(['mirror', 'tally', 'tally/new']);
  }));

test('a crash between the two records neither loses nor doubles', () =>
  inWorld({ seed: 10 }, async (world) => {
    for (let cut = 0; cut < 60; cut += 3) {
      const first = await started(world);
      await first.established(S);
      joining(first, T);
      first.host.input({ do: 'establish', session: T, as: 'new' });
      await world.run(100);
      world.broker.storage.latencyMs = 10;
      first.host.move(T, S);
      await world.run(cut);
      first.crash();
      world.broker.storage.latencyMs = 0;
      const next = await started(world);
      await world.run(1000);
      const names = [S, T].flatMap((id) => Object.keys(next.host.view(id)?.state ?? {})).sort();
      expect(names, `cut after ${cut} ms`).toEqual(['mirror', 'tally', 'tally/new']);
      next.crash();
      for (const key of [KEY_S, KEY_T]) world.broker.store('culvert_toy').entries.delete(key);
    }
  }));

test('into nothing is refused and counted', () =>
  inWorld({ seed: 10 }, async (world) => {
    const toy = await started(world);
    await toy.established(S);
    toy.host.move(S, T);
    await world.run(10);
    expect(toy.drops()).toEqual({ 'move-refused': 1 });
    expect(tallyOf(toy.view(S).state)?.count).toBe(0);
  }));
