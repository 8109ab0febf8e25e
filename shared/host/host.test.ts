import { describe, expect, test } from 'vitest';
import { inWorld } from '../../test/sim/index.ts';
import { started, type Toy } from '../../test/sim/toy-host.ts';
import { heardBy, tallyOf } from '../../test/sim/toy-protocol.ts';
import { readForwardPart } from './record.ts';

const S = '0123456789abcdef';
const KEY = '4.0123456789abcdef';

const count = (toy: Toy) => tallyOf(toy.host.view(S)?.state ?? {})?.count;

describe('a step', () => {
  test('is durable before anything leaves', () =>
    inWorld({ seed: 1 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      world.broker.storage.latencyMs = 10;
      toy.host.input({ do: 'add', session: S, n: 3 });
      await world.run(5);
      expect(toy.outside.replies).toEqual([]);
      await world.run(10);
      expect(toy.outside.replies).toEqual([{ text: 'count 3', sealed: 1, revision: toy.revision(KEY) }]);
    }));

  test('inputs run strictly one at a time, in order', () =>
    inWorld({ seed: 1 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      world.broker.storage.latencyMs = 3;
      for (const n of [1, 2, 3, 4]) toy.host.input({ do: 'add', session: S, n });
      await world.run(100);
      expect(toy.outside.replies.map((reply) => reply.text)).toEqual([
        'count 1',
        'count 3',
        'count 6',
        'count 10',
      ]);
    }));

  test('routes to the sibling machine within the same step', () =>
    inWorld({ seed: 1 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      toy.host.input({ do: 'add', session: S, n: 1 });
      await world.run(10);
      expect(heardBy(toy.view(S))).toBe(1);
    }));

  test('that changes nothing writes nothing', () =>
    inWorld({ seed: 1 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      const before = toy.revision(KEY);
      toy.host.input({ do: 'ignored', session: S });
      toy.host.input({ do: 'addQuietly', session: S, n: 1 });
      await world.run(1000);
      expect(toy.revision(KEY)).toBe(before);
      expect(tallyOf(toy.host.view(S)?.state ?? {})?.quiet).toBe(1);
    }));

  test('lazy changes share one write within 250 ms', () =>
    inWorld({ seed: 1 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      const before = toy.revision(KEY) ?? 0;
      for (let index = 0; index < 8; index += 1) toy.host.input({ do: 'addLazily', session: S, n: 1 });
      await world.run(249);
      expect(toy.revision(KEY)).toBe(before);
      await world.run(5);
      expect(toy.revision(KEY)).toBe(before + 1);
    }));

  test('half-open sessions are not stored', () =>
    inWorld({ seed: 1 }, async (world) => {
      const toy = await started(world);
      toy.host.input({ do: 'found', session: S });
      toy.host.input({ do: 'add', session: S, n: 1 });
      await world.run(1000);
      expect(count(toy)).toBe(1);
      expect(toy.outside.replies).toEqual([{ text: 'count 1', sealed: 1, revision: undefined }]);
      expect(world.broker.store('culvert_toy').entries.size).toBe(0);
    }));

  test('a local effect answers into the session', () =>
    inWorld({ seed: 1 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      toy.host.input({ do: 'compute', session: S, n: 20 });
      await world.run(10);
      expect(count(toy)).toBe(40);
    }));
});

describe('limits', () => {
  test('inputs of nobody, beyond the mailbox, beyond the sessions are dropped and counted', () =>
    inWorld({ seed: 1 }, async (world) => {
      const toy = await started(world, { sessionsMax: 2, mailboxMax: 2 });
      await toy.established(S);
      toy.host.input({ do: 'found', session: '1111111111111111' });
      toy.host.input({ do: 'found', session: '2222222222222222' });
      toy.host.input({ do: 'add', session: '3333333333333333', n: 1 });
      toy.host.input({ do: 'bad', session: S });
      await world.settle();
      world.broker.storage.latencyMs = 10;
      for (let index = 0; index < 5; index += 1) toy.host.input({ do: 'add', session: S, n: 1 });
      await world.run(100);
      expect(toy.drops()).toEqual({
        'sessions-max': 1,
        'no-session': 1,
        'bad-checksum': 1,
        'mailbox-full': 2,
      });
      expect(count(toy)).toBe(3);
    }));

  test('an input that founds nothing leaves no session behind', () =>
    inWorld({ seed: 1 }, async (world) => {
      const toy = await started(world);
      toy.protocolLocate = () => ({ session: S, create: true });
      toy.host.input({ do: 'bad', session: S });
      toy.host.input({ do: 'ignored', session: S });
      await world.run(10);
      expect([...toy.host.sessions()]).toEqual([]);
      expect(toy.telemetry.spans).toEqual([]);
      expect(toy.outside.closed).toEqual([]);
    }));
});

describe('faults of ours', () => {
  test.each(['break', 'loop'] as const)('%s stops the session, not the process', (what) =>
    inWorld({ seed: 1 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      await toy.established('ffffffffffffffff');
      toy.host.input({ do: what, session: S });
      await world.run(100);
      expect(toy.host.view(S)).toBeUndefined();
      expect(toy.host.view('ffffffffffffffff')).toBeDefined();
      expect(world.broker.store('culvert_toy').entries.get(KEY)?.value).toBeUndefined();
      expect(toy.telemetry.lines.filter((line) => line.level === 'error')).toHaveLength(1);
      toy.host.input({ do: 'found', session: S });
      await world.run(10);
      expect(toy.drops()).toEqual({ quarantined: 1 });
    }),
  );

  test('a rejected local effect is one', () =>
    inWorld({ seed: 1 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      toy.outside.compute = () => Promise.reject(new Error('no such key'));
      toy.host.input({ do: 'compute', session: S, n: 1 });
      await world.run(100);
      expect(toy.host.view(S)).toBeUndefined();
    }));
});

describe('the record', () => {
  test('its forward part is all the edge can read', () =>
    inWorld({ seed: 1 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      const entry = world.broker.store('culvert_toy').entries.get(KEY);
      if (entry === undefined) throw new Error('no record');
      expect(readForwardPart(toy.process.sealer, 'culvert_toy', entry)).toEqual({
        entries: [],
        key: Uint8Array.of(1, 2, 3, 4),
      });
      expect(() => readForwardPart(toy.process.sealer, 'culvert_other', entry)).toThrow();
      expect(() => readForwardPart(toy.process.sealer, 'culvert_toy', { ...entry, key: '4.ffff' })).toThrow();
      const text = new TextDecoder('latin1').decode(entry.value);
      expect(text).not.toContain('established');
    }));

  test('an unchanged forward part keeps its octets', () =>
    inWorld({ seed: 1 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      const forward = () => toy.sealedForward(KEY);
      const before = forward();
      toy.host.input({ do: 'add', session: S, n: 1 });
      await world.run(10);
      expect(forward()).toEqual(before);
    }));

  test('an ended session leaves none, and its name is free', () =>
    inWorld({ seed: 1 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      toy.host.input({ do: 'close', session: S });
      await world.run(100);
      expect(toy.outside.replies.at(-1)?.text).toBe('bye');
      expect(toy.orders.map((order) => order.item)).toEqual(['farewell']);
      expect(world.broker.store('culvert_toy').entries.get(KEY)?.value).toBeUndefined();
      expect(toy.outside.closed).toEqual([S]);
      await toy.established(S);
      expect(toy.host.view(S)).toBeDefined();
    }));
});

describe('spans', () => {
  test('one for each step, below the trace of the session', () =>
    inWorld({ seed: 1 }, async (world) => {
      const toy = await started(world);
      await toy.established(S);
      toy.host.input({ do: 'add', session: S, n: 3 });
      await world.run(10);
      const [root, ...steps] = toy.telemetry.spans;
      expect(root?.name).toBe('session');
      expect(steps.map((span) => [span.name, span.traceId === root?.traceId])).toEqual([
        ['ppp.step', true],
        ['ppp.step', true],
        ['ppp.step', true],
      ]);
      expect(steps[1]?.attributes).toMatchObject({
        'culvert.session': S,
        'culvert.events': 'tally:Establish',
        'culvert.states': 'tally: halfOpen > established',
        'culvert.durability': 'now',
      });
      expect(steps[2]?.attributes['culvert.effects']).toBe('tally:reply');
    }));
});
