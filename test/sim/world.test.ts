import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { seededChance } from './chance.ts';
import { matches } from './topics.ts';
import { prepared } from './toy-host.ts';
import { createWorld, inWorld } from './world.ts';

const A = { address: '192.0.2.1', port: 500 };
const B = { address: '198.51.100.1', port: 500 };

describe('virtual time', () => {
  test('keeps appointments in order, and promises run in between', async () => {
    const { clock } = createWorld({ seed: 1 });
    const seen: string[] = [];
    const start = clock.now();
    clock.after(20, () => seen.push(`b ${clock.now() - start}`));
    clock.after(10, () => {
      void Promise.resolve().then(() => seen.push(`a ${clock.now() - start}`));
    });
    const cancel = clock.after(15, () => seen.push('cancelled'));
    cancel();
    clock.after(20, () => seen.push('c'));
    await clock.run(19);
    expect(seen).toEqual(['a 10']);
    await clock.run(1);
    expect(seen).toEqual(['a 10', 'b 20', 'c']);
    expect(clock.pending).toBe(0);
  });

  test('stands still while slow crypto or held work is under way', async () => {
    const { clock } = createWorld({ seed: 1 });
    const seen: string[] = [];
    const generate = promisify(generateKeyPair);
    clock.after(1, () => {
      void generate('rsa', { modulusLength: 2048 }).then(() => seen.push('key'));
    });
    clock.after(2, () => seen.push('next'));
    clock.after(3, () => {
      void clock.hold(new Promise((resolve) => setTimeout(resolve, 30))).then(() => seen.push('held'));
    });
    clock.after(4, () => seen.push('last'));
    await clock.run(10);
    expect(seen).toEqual(['key', 'next', 'held', 'last']);
  });

  test('until gives up', async () => {
    const world = createWorld({ seed: 1 });
    world.clock.after(50, () => undefined);
    await expect(world.until(() => false, 100)).rejects.toThrow('100 ms');
  });
});

describe('chance', () => {
  test('the same seed gives the same run, and forks are independent', () => {
    const draw = (seed: number) =>
      Array.from(
        { length: 5 },
        (
          (chance) => () =>
            chance.below(1000)
        )(seededChance(seed)),
      );
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    const chance = seededChance(1);
    const before = chance.fork('x').octets(8);
    chance.next();
    expect(chance.fork('x').octets(8)).toEqual(before);
    expect(chance.fork('y').octets(8)).not.toEqual(before);
  });

  test('is even enough', () => {
    const chance = seededChance(3);
    const hits = Array.from({ length: 10_000 }, () => chance.happens(0.2)).filter(Boolean).length;
    expect(hits).toBeGreaterThan(1800);
    expect(hits).toBeLessThan(2200);
  });
});

test('the same seed replays the same run, faults, crash and all', async () => {
  const record = async (seed: number) => {
    const world = createWorld({ seed });
    const { storage } = world.broker;
    Object.assign(storage, {
      unheardWrite: 0.2,
      lostWrite: 0.2,
      lateWrite: 0.1,
      latencyMs: 3,
      timeoutMs: 100,
    });
    const happened: unknown[] = [];
    for (let life = 0; life < 2; life += 1) {
      const toy = prepared(world);
      await world.promised(toy.host.start());
      await toy.established('0123456789abcdef');
      for (let n = 1; n < 6; n += 1) {
        toy.host.input({ do: 'add', session: '0123456789abcdef', n });
        toy.host.input({ do: 'arm', session: '0123456789abcdef', ms: world.chance.below(500) });
        await world.run(world.chance.below(400));
      }
      happened.push(toy.outside.replies, toy.telemetry.spans, toy.telemetry.counters(), world.clock.now());
      toy.crash();
    }
    return happened;
  };
  expect(await record(21)).toEqual(await record(21));
  expect(await record(21)).not.toEqual(await record(22));
});

describe('the network', () => {
  const send = async (faults: object, count: number) => {
    const world = createWorld({ seed: 5, faults });
    const heard: number[] = [];
    const a = world.network.bind(A, () => undefined);
    world.network.bind(B, ({ octets }) => heard.push(octets[0] ?? -1));
    for (let index = 0; index < count; index += 1) {
      a.send(B, Uint8Array.of(index));
      await world.run(1);
    }
    await world.run(1000);
    return heard;
  };

  test('without faults everything arrives once and in order', async () => {
    expect(await send({}, 100)).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  test('loses, duplicates and reorders as told', async () => {
    const lossy = await send({ loss: 0.3 }, 100);
    expect(lossy.length).toBeGreaterThan(50);
    expect(lossy.length).toBeLessThan(90);
    const doubled = await send({ duplicate: 0.5 }, 100);
    expect(doubled.length).toBeGreaterThan(120);
    const shuffled = await send({ reorder: 4 }, 100);
    expect(shuffled).not.toEqual([...shuffled].sort((x, y) => x - y));
    expect([...shuffled].sort((x, y) => x - y)).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  test('a NAT hides its clients behind ports, and changes them', () =>
    inWorld({ seed: 6, faults: { natRebindEveryMs: 1000 } }, async (world) => {
      const { network } = world;
      network.nat('203.0.113.1', ['10.0.0.2', '10.0.0.3']);
      const sources: string[] = [];
      const answers: string[] = [];
      const server = network.bind(A, ({ from }) => {
        sources.push(`${from.address}:${from.port}`);
        server.send(from, Uint8Array.of(1));
      });
      const clients = ['10.0.0.2', '10.0.0.3'].map((address) =>
        network.bind({ address, port: 4500 }, () => answers.push(address)),
      );
      for (const client of clients) client.send(A, Uint8Array.of(1));
      await world.run(10);
      expect(sources).toEqual(['203.0.113.1:20000', '203.0.113.1:20001']);
      expect(answers).toEqual(['10.0.0.2', '10.0.0.3']);
      await world.run(1000);
      clients[0]?.send(A, Uint8Array.of(1));
      await world.run(10);
      expect(sources.at(-1)).toBe('203.0.113.1:20002');
      server.send({ address: '203.0.113.1', port: 20_000 }, Uint8Array.of(1));
      await world.run(10);
      expect(network.counts.unreachable).toBe(1);
    }));
});

test('topics', () => {
  const cases: [string, string, boolean][] = [
    ['a.b', 'a.b', true],
    ['a.*', 'a.b', true],
    ['a.*', 'a.b.c', false],
    ['a.>', 'a.b.c', true],
    ['a.>', 'a', false],
    ['>', 'a', true],
    ['*.b', 'a.b', true],
    ['a.b', 'a', false],
    ['a', 'a.b', false],
  ];
  for (const [filter, subject, expected] of cases)
    expect(matches(filter, subject), `${filter} ${subject}`).toBe(expected);
});
