import { BusUnavailable } from '@culvert/bus';
import { describe, expect, test } from 'vitest';
import { inWorld } from '../../test/sim/index.ts';
import { prepared, started } from '../../test/sim/toy-host.ts';
import { tallyOf } from '../../test/sim/toy-protocol.ts';

const S = '0123456789abcdef';
const T = '0fedcba987654321';
const KEY = '4.0123456789abcdef';

describe('NATS away', () => {
  test('at start: the host waits, then serves', () =>
    inWorld({ seed: 6 }, async (world) => {
      const toy = prepared(world);
      world.broker.storage.away = true;
      const up = toy.host.start();
      await world.run(20_000);
      toy.host.input({ do: 'found', session: S });
      expect(toy.drops()).toEqual({ starting: 1 });
      world.broker.storage.away = false;
      await world.promised(up);
      await toy.established(S);
      expect(toy.host.view(S)).toBeDefined();
    }));

  test('later: sessions go on in memory, new ones are refused, all recovers', () =>
    inWorld({ seed: 6 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      await toy.established(T);
      toy.process.bus.cut();
      toy.host.input({ do: 'addLazily', session: S, n: 1 });
      toy.host.input({ do: 'add', session: T, n: 1 });
      toy.host.input({ do: 'found', session: '1111111111111111' });
      await world.run(30_000);
      toy.host.input({ do: 'addLazily', session: S, n: 1 });
      await world.run(30_000);
      expect(tallyOf(toy.view(S).state)?.lazy).toBe(2);
      expect(toy.outside.replies).toEqual([]);
      expect(toy.drops()).toEqual({ 'no-storage': 1 });
      const before = toy.revision(KEY) ?? 0;
      toy.process.bus.heal();
      await world.run(6000);
      expect(toy.outside.replies.map((reply) => reply.text)).toEqual(['count 1']);
      expect(toy.revision(KEY)).toBeGreaterThan(before);
      await toy.established('1111111111111111');
      expect(toy.host.view('1111111111111111')).toBeDefined();
      toy.crash();
      const next = await started(world);
      expect(tallyOf(next.view(S).state)?.lazy).toBe(2);
    }));

  test('timers wait, so that a silent bus is not taken for a silent peer', () =>
    inWorld({ seed: 6 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      toy.host.input({ do: 'arm', session: S, ms: 1000 });
      await world.run(100);
      toy.process.bus.cut();
      await world.run(60_000);
      expect(tallyOf(toy.view(S).state)?.firings).toBe(0);
      toy.process.bus.heal();
      await world.run(100);
      expect(tallyOf(toy.view(S).state)?.firings).toBe(1);
    }));
});

describe('service effects', () => {
  test('back off up to five seconds, with jitter', () =>
    inWorld({ seed: 7 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      const at: number[] = [];
      toy.outside.order = () => {
        at.push(world.clock.now());
        return Promise.reject(new BusUnavailable('away'));
      };
      toy.host.input({ do: 'order', session: S, item: 'x' });
      await world.run(60_000);
      const gaps = at.slice(1).map((time, index) => time - (at[index] ?? 0));
      expect(gaps[0]).toBeGreaterThanOrEqual(50);
      expect(gaps[0]).toBeLessThanOrEqual(100);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(5001);
      expect(gaps.at(-1)).toBeGreaterThanOrEqual(2500);
      expect(new Set(gaps.slice(-6)).size).toBeGreaterThan(1);
    }));

  test('of one machine leave in order, each after the answer to the one before', () =>
    inWorld({ seed: 7 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      let refusals = 3;
      const done: string[] = [];
      toy.outside.order = (item) => {
        if (item === 'start' && refusals > 0) {
          refusals -= 1;
          return Promise.reject(new BusUnavailable('away'));
        }
        done.push(item);
        return Promise.resolve(false);
      };
      toy.host.input({ do: 'order', session: S, item: 'start' });
      toy.host.input({ do: 'order', session: S, item: 'stop' });
      await world.run(10_000);
      expect(done).toEqual(['start', 'stop']);
    }));
});

describe('timers', () => {
  test('a firing that is overtaken by its own stop or re-arming is nothing', () =>
    inWorld({ seed: 8 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      toy.host.input({ do: 'arm', session: S, ms: 100 });
      await world.run(90);
      // The step ahead of the firing takes longer than the timer has left.
      world.broker.storage.latencyMs = 50;
      toy.host.input({ do: 'add', session: S, n: 1 });
      toy.host.input({ do: 'arm', session: S, ms: 1000 });
      await world.run(500);
      expect(tallyOf(toy.view(S).state)?.firings).toBe(0);
      await world.run(1000);
      expect(tallyOf(toy.view(S).state)?.firings).toBe(1);
      toy.host.input({ do: 'arm', session: S, ms: 10 });
      toy.host.input({ do: 'disarm', session: S });
      await world.run(1000);
      expect(tallyOf(toy.view(S).state)?.firings).toBe(1);
    }));

  test('ten thousand sessions use one appointment with the clock', () =>
    inWorld({ seed: 8 }, async (world) => {
      const toy = await started(world, { sessionsMax: 20_000, mailboxMax: 8 });
      for (let index = 0; index < 2000; index += 1) {
        const session = (index + 0x1000_0000).toString(16).padStart(16, '0');
        toy.host.input({ do: 'found', session });
        toy.host.input({ do: 'arm', session, ms: 1000 + index });
      }
      await world.settle();
      expect(world.clock.pending).toBe(1);
      await world.run(2000);
      const fired = [...toy.host.sessions()].filter((view) => tallyOf(view.state)?.firings === 1);
      expect(fired).toHaveLength(1001);
    }));
});

describe('drain', () => {
  test('writes what is lazy and lets go', () =>
    inWorld({ seed: 9 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      toy.host.input({ do: 'addLazily', session: S, n: 4 });
      await world.promised(toy.host.drain());
      toy.host.input({ do: 'addLazily', session: S, n: 4 });
      expect([...toy.host.sessions()]).toEqual([]);
      toy.crash();
      const next = await started(world);
      expect(tallyOf(next.view(S).state)?.lazy).toBe(4);
    }));

  test('ends without storage, and says what was not written', () =>
    inWorld({ seed: 9 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      toy.process.bus.cut();
      toy.host.input({ do: 'addLazily', session: S, n: 4 });
      const at = world.clock.now();
      await world.promised(toy.host.drain());
      expect(world.clock.now() - at).toBeLessThanOrEqual(6000);
      expect(toy.telemetry.lines.map((line) => line.message)).toContain('drained without storage');
    }));
});
