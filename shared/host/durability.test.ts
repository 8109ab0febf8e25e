import { BusUnavailable } from '@culvert/bus';
import { describe, expect, test } from 'vitest';
import { inWorld } from '../../test/sim/index.ts';
import { prepared, started } from '../../test/sim/toy-host.ts';
import { tallyOf } from '../../test/sim/toy-protocol.ts';

const S = '0123456789abcdef';
const T = '0fedcba987654321';
const KEY = '4.0123456789abcdef';

describe('restore', () => {
  test('goes on as if it had never stopped', () =>
    inWorld({ seed: 2 }, async (world) => {
      const first = await started(world);
      await first.established(S);
      first.host.input({ do: 'add', session: S, n: 3 });
      first.host.input({ do: 'arm', session: S, ms: 5000 });
      first.host.input({ do: 'addLazily', session: S, n: 2 });
      await world.run(1000);
      const before = first.view(S);
      first.crash();
      const second = await started(world);
      expect(second.outside.restored).toEqual([S]);
      const after = second.view(S);
      expect(after.trace).toBe(before.trace);
      expect(after.vault).toEqual(before.vault);
      expect(tallyOf(after.state)).toEqual(tallyOf(before.state));
      second.host.input({ do: 'add', session: S, n: 4 });
      await world.run(5000);
      expect(second.outside.replies.map((reply) => reply.text)).toEqual(['count 7', 'fired 1']);
    }));

  test('repeats effects for services under the same id, and nothing for the peer', () =>
    inWorld({ seed: 2 }, async (world) => {
      const first = await started(world);
      await first.established(S);
      const ids: string[] = [];
      first.outside.order = (_item, id) => {
        ids.push(id);
        return Promise.reject(new BusUnavailable('nobody'));
      };
      first.host.input({ do: 'order', session: S, item: 'tea' });
      first.host.input({ do: 'add', session: S, n: 1 });
      await world.run(1000);
      expect(ids.length).toBeGreaterThan(2);
      expect(new Set(ids).size).toBe(1);
      first.crash();
      const second = prepared(world);
      second.outside.order = (item, id) => {
        ids.push(id);
        return Promise.resolve(item === 'tea');
      };
      await world.promised(second.host.start());
      await world.run(1000);
      expect(new Set(ids).size).toBe(1);
      expect(second.outside.replies).toEqual([]);
      expect(tallyOf(second.view(S).state)?.ordered).toEqual(['tea']);
      second.crash();
      // The checkpoint of the answer's step has cleared the outbox.
      const third = await started(world);
      await world.run(10_000);
      expect(third.orders).toEqual([]);
      expect(tallyOf(third.view(S).state)?.ordered).toEqual(['tea']);
    }));

  test('fires overdue timers in the order of their deadlines', () =>
    inWorld({ seed: 2 }, async (world) => {
      const first = await started(world);
      await first.established(S);
      await first.established(T);
      first.host.input({ do: 'arm', session: S, ms: 2000 });
      first.host.input({ do: 'arm', session: T, ms: 1000 });
      first.host.input({ do: 'add', session: T, n: 10 });
      first.host.input({ do: 'add', session: S, n: 20 });
      await world.run(100);
      first.crash();
      await world.run(60_000);
      const second = await started(world);
      await world.run(100);
      const firings = second.telemetry.spans.filter(
        (span) => span.attributes['culvert.events'] === 'tally:TO',
      );
      expect(firings.map((span) => span.attributes['culvert.session'])).toEqual([T, S]);
    }));

  test('leaves a record alone that it cannot read', () =>
    inWorld({ seed: 2 }, async (world) => {
      const first = await started(world);
      await first.established(S);
      first.crash();
      const store = world.broker.store('culvert_toy');
      const entry = store.entries.get(KEY);
      if (entry?.value === undefined) throw new Error('no record');
      store.entries.set(KEY, {
        ...entry,
        value: entry.value.map((octet, at) => (at > 60 ? octet ^ 1 : octet)),
      });
      const second = await started(world);
      expect(second.host.view(S)).toBeUndefined();
      expect(second.telemetry.counters()['culvert.host.unreadable{protocol=ppp}']).toBe(1);
      expect(store.entries.get(KEY)?.value).toBeDefined();
    }));

  test('never gives an effect id twice', () =>
    inWorld({ seed: 2 }, async (world) => {
      const ids: string[] = [];
      let toy = await started(world);
      await toy.established(S);
      for (let round = 0; round < 4; round += 1) {
        toy.outside.order = (_item, id) => {
          ids.push(id);
          return Promise.resolve(false);
        };
        for (let index = 0; index < 3; index += 1) toy.host.input({ do: 'order', session: S, item: 'x' });
        await world.run(20);
        toy.crash();
        toy = await started(world);
      }
      expect(ids).toHaveLength(12);
      expect(new Set(ids).size).toBe(12);
    }));
});

test('a session founded anew under the same name gives new ids', () =>
  inWorld({ seed: 2 }, async (world) => {
    const ids: string[] = [];
    for (let life = 0; life < 3; life += 1) {
      const toy = prepared(world);
      toy.outside.order = (_item, id) => {
        ids.push(id);
        return Promise.resolve(false);
      };
      await world.promised(toy.host.start());
      // Twice in one process, the first time to its orderly end; then half-open when the process dies.
      await toy.established(S);
      toy.host.input({ do: 'close', session: S });
      await world.run(10);
      toy.host.input({ do: 'found', session: S });
      toy.host.input({ do: 'order', session: S, item: 'x' });
      await world.run(10);
      toy.crash();
    }
    expect(ids).toHaveLength(6);
    expect(new Set(ids).size).toBe(6);
  }));

describe('storage that lies', () => {
  test('a write that was done unheard is found again', () =>
    inWorld({ seed: 3 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      world.broker.storage.unheardWrite = 1;
      toy.host.input({ do: 'add', session: S, n: 1 });
      await world.run(20_000);
      expect(toy.outside.replies).toEqual([{ text: 'count 1', sealed: 1, revision: toy.revision(KEY) }]);
      world.broker.storage.unheardWrite = 0;
      toy.host.input({ do: 'add', session: S, n: 1 });
      await world.run(100);
      expect(toy.outside.replies).toHaveLength(2);
      expect(toy.telemetry.counters()['culvert.host.fenced{protocol=ppp}']).toBeUndefined();
    }));

  test('a write that was not done is repeated', () =>
    inWorld({ seed: 3 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      world.broker.storage.lostWrite = 1;
      toy.host.input({ do: 'add', session: S, n: 1 });
      await world.run(12_000);
      expect(toy.outside.replies).toEqual([]);
      world.broker.storage.lostWrite = 0;
      await world.run(20_000);
      expect(toy.outside.replies).toHaveLength(1);
    }));

  test("a predecessor's first record of a session lands after its successor has looked: adopted", () =>
    inWorld({ seed: 6 }, async (world) => {
      const first = await started(world);
      first.host.input({ do: 'found', session: S });
      world.broker.storage.lateWrite = 1;
      first.host.input({ do: 'establish', session: S });
      await world.run(10);
      first.crash();
      world.broker.storage.lateWrite = 0;
      const second = await started(world);
      expect(second.outside.restored).toEqual([]);
      await world.run(10_000);
      expect(second.outside.restored).toEqual([S]);
      second.host.input({ do: 'add', session: S, n: 2 });
      await world.run(100);
      expect(second.outside.replies.map((reply) => reply.text)).toEqual(['count 2']);
      expect(first.outside.replies).toEqual([]);
    }));

  test('a write that lands late does not look like another owner', () =>
    inWorld({ seed: 3 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      world.broker.storage.lateWrite = 1;
      toy.host.input({ do: 'add', session: S, n: 1 });
      await world.run(5000);
      world.broker.storage.lateWrite = 0;
      await world.run(20_000);
      expect(toy.outside.replies).toHaveLength(1);
      expect(toy.host.view(S)).toBeDefined();
    }));

  test('whenever it lands: between the look and the next try too', async () => {
    for (let lateMs = 1; lateMs < 260; lateMs += 6) {
      await inWorld({ seed: 3 }, async (world) => {
        const toy = await started(world);
        await toy.established(S);
        Object.assign(world.broker.storage, { latencyMs: 20, lateWrite: 1, lateMs });
        toy.host.input({ do: 'add', session: S, n: 1 });
        await world.run(1000);
        world.broker.storage.lateWrite = 0;
        await world.run(20_000);
        expect(toy.outside.replies, `${lateMs} ms late`).toHaveLength(1);
        expect(tallyOf(toy.view(S).state)?.count).toBe(1);
        expect(toy.outside.closed).toEqual([]);
      });
    }
  });

  test('the record of an ended session goes, whatever is heard', () =>
    inWorld({ seed: 3 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      world.broker.storage.unheardWrite = 0.5;
      world.broker.storage.lostWrite = 0.5;
      toy.host.input({ do: 'close', session: S });
      await world.run(200_000);
      expect(world.broker.store('culvert_toy').entries.get(KEY)?.value).toBeUndefined();
      expect(toy.host.view(S)).toBeUndefined();
    }));
});

test('a predecessor’s write that lands after the restore wins over memory', () =>
  inWorld({ seed: 3 }, async (world) => {
    const old = await started(world);
    await old.established(S);
    world.broker.storage.lateWrite = 1;
    old.host.input({ do: 'add', session: S, n: 1 });
    await world.run(1000);
    old.crash();
    world.broker.storage.lateWrite = 0;
    const fresh = await started(world);
    await world.run(10_000);
    const request = { do: 'add', session: S, n: 2 } as const;
    await expect(world.promised(fresh.host.request('A/x/1/0', request))).rejects.toThrow();
    expect(await world.promised(fresh.host.request('A/x/1/0', request))).toEqual({ taken: true });
    expect(tallyOf(fresh.view(S).state)?.count).toBe(3);
    expect(fresh.telemetry.counters()['culvert.host.reloaded{protocol=ppp}']).toBe(1);
  }));

test('a lazy step that asks another service is stored first', () =>
  inWorld({ seed: 3 }, async (world) => {
    const toy = await started(world);
    await toy.established(S);
    world.broker.storage.latencyMs = 20;
    toy.host.input({ do: 'order', session: S, item: 'tea' });
    await world.run(15);
    expect(toy.orders).toEqual([]);
    await world.run(10);
    expect(toy.orders.map((order) => order.item)).toEqual(['tea']);
  }));

test('an effect does not leave before its own step is stored, though another one’s answer comes in between', () =>
  inWorld({ seed: 3 }, async (world) => {
    const toy = await started(world);
    await toy.established(S);
    const performed: string[] = [];
    let answer: () => void = () => undefined;
    toy.outside.order = (item) => {
      performed.push(item);
      return new Promise((resolve) => {
        answer = () => resolve(false);
      });
    };
    toy.host.input({ do: 'order', session: S, item: 'first' });
    await world.run(10);
    world.broker.storage.latencyMs = 50;
    toy.host.input({ do: 'order', session: S, item: 'second' });
    await world.run(10);
    answer();
    await world.run(30);
    expect(performed).toEqual(['first']);
    await world.run(20);
    expect(performed).toEqual(['first', 'second']);
  }));

describe('fencing', () => {
  test('a host that lost the session stops it and performs nothing', () =>
    inWorld({ seed: 4 }, async (world) => {
      const old = await started(world);
      await old.established(S);
      const fresh = await started(world);
      fresh.host.input({ do: 'add', session: S, n: 5 });
      await world.run(100);
      old.host.input({ do: 'add', session: S, n: 7 });
      const answer = old.host.request('A/x/1/0', { do: 'add', session: S, n: 7 });
      const refused = expect(answer).resolves.toEqual({ taken: false, reason: 'no-session' });
      await world.run(100);
      await refused;
      expect(old.outside.replies).toEqual([]);
      expect(old.host.view(S)).toBeUndefined();
      expect(old.outside.closed).toEqual([S]);
      expect(tallyOf(fresh.view(S).state)?.count).toBe(5);
      expect(old.telemetry.counters()['culvert.host.fenced{protocol=ppp}']).toBe(1);
    }));

  test('a stale host that never wrote does not take the session back', () =>
    inWorld({ seed: 4 }, async (world) => {
      const first = await started(world);
      await first.established(S);
      first.crash();
      const stale = await started(world);
      const owner = await started(world);
      owner.host.input({ do: 'add', session: S, n: 5 });
      await world.run(100);
      stale.host.input({ do: 'add', session: S, n: 7 });
      await world.run(100);
      expect(stale.host.view(S)).toBeUndefined();
      owner.host.input({ do: 'add', session: S, n: 1 });
      await world.run(100);
      expect(owner.outside.replies.map((reply) => reply.text)).toEqual(['count 5', 'count 6']);
      expect(owner.telemetry.counters()['culvert.host.fenced{protocol=ppp}']).toBeUndefined();
    }));

  test('a request whose step could not be stored is not called taken', () =>
    inWorld({ seed: 4 }, async (world) => {
      const old = await started(world);
      await old.established(S);
      const fresh = await started(world);
      fresh.host.input({ do: 'add', session: S, n: 5 });
      await world.run(100);
      const answer = old.host.request('A/x/1/0', { do: 'add', session: S, n: 7 });
      await expect(world.promised(answer)).rejects.toThrow();
    }));
});

describe('requests', () => {
  test('are answered when durable, and a repeated one is answered alone', () =>
    inWorld({ seed: 5 }, async (world) => {
      const first = await started(world);
      await first.established(S);
      world.broker.storage.latencyMs = 10;
      const at = world.clock.now();
      const request = { do: 'add', session: S, n: 2 } as const;
      expect(await world.promised(first.host.request('A/x/1/0', request))).toEqual({ taken: true });
      expect(world.clock.now() - at).toBeGreaterThanOrEqual(10);
      expect(await world.promised(first.host.request('A/x/1/0', request))).toEqual({ taken: true });
      expect(tallyOf(first.view(S).state)?.count).toBe(2);
      first.crash();
      const second = await started(world);
      expect(await world.promised(second.host.request('A/x/1/0', request))).toEqual({ taken: true });
      expect(tallyOf(second.view(S).state)?.count).toBe(2);
      expect(await world.promised(second.host.request('A/x/2/0', request))).toEqual({ taken: true });
      expect(tallyOf(second.view(S).state)?.count).toBe(4);
    }));

  test('with a lazy step wait for its batch', () =>
    inWorld({ seed: 5 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      const at = world.clock.now();
      const input = { do: 'addLazily', session: S, n: 2 } as const;
      const answeredAt: number[] = [];
      for (const id of ['A/x/1/0', 'A/x/1/0']) {
        void toy.host.request(id, input).then(() => answeredAt.push(world.clock.now() - at));
      }
      await world.run(1000);
      expect(answeredAt).toEqual([250, 250]);
      expect(tallyOf(toy.view(S).state)?.lazy).toBe(2);
    }));

  test('for nobody, beyond a limit, or while draining are refused', () =>
    inWorld({ seed: 5 }, async (world) => {
      const toy = await started(world, { sessionsMax: 1, mailboxMax: 4 });
      const ask = (input: Parameters<typeof toy.host.request>[1]) =>
        world.promised(toy.host.request('A/x/1/0', input));
      expect(await ask({ do: 'add', session: S, n: 1 })).toEqual({ taken: false, reason: 'no-session' });
      await toy.established(S);
      expect(await ask({ do: 'found', session: T })).toEqual({ taken: false, reason: 'limit' });
      await world.promised(toy.host.drain());
      expect(await ask({ do: 'add', session: S, n: 1 })).toEqual({ taken: false, reason: 'draining' });
    }));

  test('for a session that is still saying goodbye found it anew afterwards', () =>
    inWorld({ seed: 5 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      let reachable = false;
      toy.outside.order = () =>
        reachable ? Promise.resolve(false) : Promise.reject(new BusUnavailable('away'));
      toy.host.input({ do: 'close', session: S });
      await world.run(1000);
      const answer = toy.host.request('A/x/9/0', { do: 'found', session: S });
      await world.run(1000);
      expect(toy.outside.closed).toEqual([]);
      reachable = true;
      expect(await world.promised(answer)).toEqual({ taken: true });
      expect(toy.outside.closed).toEqual([S]);
      expect(toy.view(S).state.tally?.value).toBe('halfOpen');
    }));
});
