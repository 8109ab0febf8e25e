import type { LeaseAnswer } from '@culvert/contracts';
import { buckets, recordKey, shardOfHex } from '@culvert/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createWorld, type SimProcess, simProcess, type World } from '../../test/sim/index.ts';
import { type Collector, startCollector } from './collect.ts';
import { type Leases, openLeases } from './leases.ts';
import { ORPHAN_MS, QUARANTINE_MS } from './limits.ts';
import { pool4, pool6 } from './pool.ts';

interface Instance {
  readonly process: SimProcess;
  readonly leases: Leases;
  readonly collector: Collector;
}

interface Options {
  readonly cidr?: string;
  readonly cidr6?: string;
  readonly fixed?: Readonly<Record<string, string>>;
}

/** One aaa instance's leases in a simulated world. */
async function instance(world: World, name: string, options: Options = {}): Promise<Instance> {
  const process = simProcess(name, world);
  const fixed = options.fixed ?? {};
  const find = (user: string) => {
    const ipv4 = fixed[user];
    return ipv4 === undefined ? undefined : ({ ipv4 } as never);
  };
  const bucket = await process.bus.bucket(buckets.leases);
  const ppp = await process.bus.bucket(buckets.ppp);
  const leases = await world.promised(
    openLeases({
      ...process,
      bucket,
      pool4: pool4(options.cidr ?? '10.98.0.0/29', '10.98.0.1'),
      pool6: options.cidr6 === undefined ? undefined : pool6(options.cidr6),
      gateway4: '10.98.0.1',
      directory: { find, fixed: new Set(Object.values(fixed)) },
    }),
  );
  const collector = await world.promised(
    startCollector({ ...process, leases: bucket, ppp, table: leases.table }),
  );
  return { process, leases, collector };
}

const sessionOf = (number: number) => number.toString(16).padStart(16, '0');

function ask(
  of: Instance,
  number: number,
  more: Partial<Parameters<Leases['lease']>[0]> = {},
): Promise<LeaseAnswer> {
  return of.leases.lease({
    id: 'x',
    session: sessionOf(number),
    call: 1,
    user: `user${number}`,
    families: [4],
    ...more,
  });
}

const addressOf = (answer: LeaseAnswer) => (answer.leased ? answer.ipv4?.address : undefined);

/** The record that ppp keeps of a session. */
async function live(world: World, process: SimProcess, number: number): Promise<void> {
  const bucket = await process.bus.bucket(buckets.ppp);
  const session = sessionOf(number);
  await world.promised(bucket.create(recordKey(shardOfHex(session), session), Uint8Array.of(1)));
}

describe('one instance', () => {
  test('leases, repeats itself, runs out, takes back', async () => {
    const world = createWorld({ seed: 1 });
    const aaa = await instance(world, 'aaa');
    const given = new Map<number, string | undefined>();
    for (let number = 1; number <= 5; number += 1)
      given.set(number, addressOf(await world.promised(ask(aaa, number))));
    expect([...given.values()].sort()).toEqual([
      '10.98.0.2',
      '10.98.0.3',
      '10.98.0.4',
      '10.98.0.5',
      '10.98.0.6',
    ]);
    for (const [number, address] of given)
      expect(addressOf(await world.promised(ask(aaa, number)))).toBe(address);

    expect(await world.promised(ask(aaa, 6))).toEqual({ leased: false, reason: 'exhausted' });
    expect(aaa.process.telemetry.lines.at(-1)?.message).toContain('no address');

    await world.promised(aaa.leases.release({ id: 'r', session: sessionOf(3), call: 1 }));
    expect(await world.promised(ask(aaa, 6))).toEqual({ leased: false, reason: 'exhausted' });
    expect(addressOf(await world.promised(ask(aaa, 7, { user: 'user3' })))).toBe(given.get(3));

    await world.promised(aaa.leases.release({ id: 'r', session: sessionOf(7), call: 1 }));
    await world.run(QUARANTINE_MS);
    expect(addressOf(await world.promised(ask(aaa, 6)))).toBe(given.get(3));
    expect(aaa.leases.table.live).toBe(5);
  });

  test('questions at once for one session give one address', async () => {
    const world = createWorld({ seed: 2 });
    const aaa = await instance(world, 'aaa');
    world.broker.storage.latencyMs = 20;
    const answers = await world.promised(Promise.all(Array.from({ length: 10 }, () => ask(aaa, 1))));
    expect(new Set(answers.map(addressOf)).size).toBe(1);
    expect(aaa.leases.table.live).toBe(1);
  });

  test('two calls of a session have an address each; releasing one leaves the other', async () => {
    const world = createWorld({ seed: 3 });
    const aaa = await instance(world, 'aaa');
    const [one, two] = [await world.promised(ask(aaa, 1)), await world.promised(ask(aaa, 1, { call: 2 }))];
    expect(addressOf(one)).not.toBe(addressOf(two));
    await world.promised(aaa.leases.release({ id: 'r', session: sessionOf(1), call: 1 }));
    expect(addressOf(await world.promised(ask(aaa, 1, { call: 2 })))).toBe(addressOf(two));
  });

  test('a wanted address is given if free, a foreign one is not', async () => {
    const world = createWorld({ seed: 4 });
    const aaa = await instance(world, 'aaa', { fixed: { boss: '10.98.0.4' } });
    expect(addressOf(await world.promised(ask(aaa, 1, { wanted: '10.98.0.6' })))).toBe('10.98.0.6');
    for (const wanted of [
      '10.98.0.6',
      '10.98.0.4',
      '10.98.0.1',
      '10.98.0.0',
      '192.0.2.1',
      '0.0.0.0',
      'x',
      '10.98.0.6.7',
    ]) {
      const address = addressOf(await world.promised(ask(aaa, 2, { wanted, user: 'u2' })));
      expect(['10.98.0.2', '10.98.0.3', '10.98.0.5']).toContain(address);
      await world.promised(aaa.leases.release({ id: 'r', session: sessionOf(2), call: 1 }));
    }
  });

  test('a fixed address is for its user alone', async () => {
    const world = createWorld({ seed: 5 });
    const aaa = await instance(world, 'aaa', { fixed: { boss: '10.98.0.4' } });
    const others = [];
    for (let number = 1; number <= 5; number += 1)
      others.push(addressOf(await world.promised(ask(aaa, number))));
    expect(others).not.toContain('10.98.0.4');
    expect(others.at(-1)).toBeUndefined();
    expect(addressOf(await world.promised(ask(aaa, 10, { user: 'boss' })))).toBe('10.98.0.4');
    expect(await world.promised(ask(aaa, 12, { user: 'boss' }))).toEqual({
      leased: false,
      reason: 'exhausted',
    });
    expect(aaa.process.telemetry.lines.at(-1)?.message).toContain('held by another session');
    await world.promised(aaa.leases.release({ id: 'r', session: sessionOf(10), call: 1 }));
    expect(addressOf(await world.promised(ask(aaa, 12, { user: 'boss' })))).toBe('10.98.0.4');
  });

  test('a fixed address that no client may have is nobody’s', async () => {
    const world = createWorld({ seed: 5 });
    const fixed = { gateway: '10.98.0.1', network: '10.98.0.0', far: '10.77.0.9', self: '127.0.0.1' };
    const aaa = await instance(world, 'aaa', { fixed });
    for (const user of Object.keys(fixed)) {
      const answer = await world.promised(ask(aaa, 1, { user }));
      expect(answer).toEqual({ leased: false, reason: 'exhausted' });
      expect(aaa.process.telemetry.lines.at(-1)?.message).toContain('is no client address of pool.ipv4');
    }
  });

  test('both families; without an IPv6 pool IPv4 alone; IPv6 alone without a pool is refused', async () => {
    const world = createWorld({ seed: 6 });
    const both = await instance(world, 'aaa', { cidr6: '2001:db8:0:100::/62' });
    expect(await world.promised(ask(both, 1, { families: [4, 6] }))).toMatchObject({
      leased: true,
      ipv4: { gateway: '10.98.0.1' },
      ipv6: { prefix: expect.stringMatching(/^2001:db8:0:10[123]::$/), prefixLength: 64 },
    });
    const other = createWorld({ seed: 6 });
    const four = await instance(other, 'aaa');
    const answer = await other.promised(ask(four, 1, { families: [4, 6] }));
    expect(answer.leased && answer.ipv6).toBeUndefined();
    expect(await other.promised(ask(four, 2, { families: [6] }))).toEqual({
      leased: false,
      reason: 'exhausted',
    });
  });

  test('a restarted instance knows what was leased', async () => {
    const world = createWorld({ seed: 7 });
    const before = await instance(world, 'aaa');
    const address = addressOf(await world.promised(ask(before, 1)));
    before.process.crash();
    const after = await instance(world, 'aaa');
    expect(after.leases.table.live).toBe(1);
    expect(addressOf(await world.promised(ask(after, 1)))).toBe(address);
    expect(addressOf(await world.promised(ask(after, 2)))).not.toBe(address);
  });

  test('storage that does not answer: unavailable, and fine afterwards', async () => {
    const world = createWorld({ seed: 8 });
    const aaa = await instance(world, 'aaa');
    world.broker.storage.away = true;
    expect(await world.promised(ask(aaa, 1))).toEqual({ leased: false, reason: 'unavailable' });
    world.broker.storage.away = false;
    expect((await world.promised(ask(aaa, 1))).leased).toBe(true);
  });

  test('user names do not stand in the bucket in the clear', async () => {
    const world = createWorld({ seed: 9 });
    const aaa = await instance(world, 'aaa');
    await world.promised(ask(aaa, 1, { user: 'canary-user' }));
    const bucket = await aaa.process.bus.bucket(buckets.leases);
    const [lease] = [...aaa.leases.table.all()];
    const entry = await world.promised(bucket.get(lease?.key ?? ''));
    expect(Buffer.from(entry?.value ?? []).toString('latin1')).not.toContain('canary');
  });

  test('an entry that cannot be read counts as taken', async () => {
    const world = createWorld({ seed: 10 });
    const process = simProcess('other', world);
    const bucket = await process.bus.bucket(buckets.leases);
    for (const host of [2, 3, 4, 5])
      await world.promised(bucket.create(`4.10.98.0.${host}`, new Uint8Array(80)));
    const aaa = await instance(world, 'aaa');
    expect(addressOf(await world.promised(ask(aaa, 1)))).toBe('10.98.0.6');
    expect((await world.promised(ask(aaa, 2))).leased).toBe(false);
  });
});

describe('leases without a session', () => {
  test('are taken back two minutes after the session is gone, then quarantined', async () => {
    const world = createWorld({ seed: 11 });
    const aaa = await instance(world, 'aaa');
    await world.promised(ask(aaa, 1));
    await world.promised(ask(aaa, 2));
    await live(world, aaa.process, 1);
    await world.run(ORPHAN_MS - 20_000);
    expect(aaa.leases.table.live).toBe(2);
    await world.run(60_000);
    expect(aaa.leases.table.live).toBe(1);
    expect(
      [...aaa.leases.table.all()].find(({ record }) => record?.releasedAt === undefined)?.record?.session,
    ).toBe(sessionOf(1));
    await world.run(QUARANTINE_MS + 40_000);
    expect([...aaa.leases.table.all()]).toHaveLength(1);
    const bucket = await aaa.process.bus.bucket(buckets.ppp);
    const key = recordKey(shardOfHex(sessionOf(1)), sessionOf(1));
    await world.promised(bucket.delete(key));
    await world.run(ORPHAN_MS + QUARANTINE_MS + 60_000);
    expect([...aaa.leases.table.all()]).toHaveLength(0);
  });

  test('stay while the storage is away, and while their session lives', async () => {
    const world = createWorld({ seed: 12 });
    const aaa = await instance(world, 'aaa');
    await world.promised(ask(aaa, 1));
    await live(world, aaa.process, 1);
    world.broker.storage.away = true;
    await world.run(5 * 60_000);
    world.broker.storage.away = false;
    await world.run(5 * 60_000);
    expect(aaa.leases.table.live).toBe(1);
  });
});

describe('several instances over storage that lies', () => {
  type Act =
    | { readonly type: 'lease'; readonly at: number; readonly number: number; readonly call: number }
    | { readonly type: 'release'; readonly at: number; readonly number: number; readonly call: number }
    | { readonly type: 'wait'; readonly ms: number };

  const number = fc.integer({ min: 1, max: 9 });
  const call = fc.integer({ min: 1, max: 2 });
  const at = fc.nat(1);
  const act = fc.oneof(
    { weight: 6, arbitrary: fc.record({ type: fc.constant('lease' as const), at, number, call }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('release' as const), at, number, call }) },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 90_000 }) }),
    },
  );

  async function play(seed: number, acts: readonly Act[], lies: number): Promise<void> {
    const world = createWorld({ seed });
    const all = [await instance(world, 'aaa1'), await instance(world, 'aaa2')];
    for (let session = 1; session <= 9; session += 1)
      if (all[0] !== undefined) await live(world, all[0].process, session);
    Object.assign(world.broker.storage, {
      unheardWrite: lies,
      lostWrite: lies,
      lateWrite: lies,
      duplicateWatch: lies,
      latencyMs: 3,
    });
    /** Who was told to have an address and has not given it back. */
    const holds = new Map<string, string>();
    for (const step of acts) {
      if (step.type === 'wait') {
        await world.run(step.ms);
        continue;
      }
      const aaa = all[step.at];
      if (aaa === undefined) continue;
      const owner = `${step.number}/${step.call}`;
      if (step.type === 'release') {
        holds.delete(owner);
        await world.promised(
          aaa.leases.release({ id: 'r', session: sessionOf(step.number), call: step.call }),
          600_000,
        );
        continue;
      }
      const answer = await world.promised(ask(aaa, step.number, { call: step.call }), 600_000);
      const address = addressOf(answer);
      if (address === undefined) continue;
      const others = [...holds].filter(([other, held]) => other !== owner && held === address);
      expect(others).toEqual([]);
      expect(holds.get(owner) ?? address).toBe(address);
      holds.set(owner, address);
    }
  }

  test('honest storage: no two hold one address, a holder keeps its own', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(act, { maxLength: 40 }), (seed, acts) => play(seed, acts, 0)),
      { numRuns: 15 },
    );
  }, 60_000);

  test('lying storage: the same', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(act, { maxLength: 40 }), (seed, acts) => play(seed, acts, 0.1)),
      { numRuns: 15 },
    );
  }, 60_000);

  test('a release that lands late does not take the address from a session that asked again', async () => {
    const world = createWorld({ seed: 14 });
    const aaa = await instance(world, 'aaa', { cidr: '10.98.0.4/31' });
    const address = addressOf(await world.promised(ask(aaa, 1)));
    await live(world, aaa.process, 1);
    world.broker.storage.lateWrite = 1;
    await world.promised(aaa.leases.release({ id: 'r', session: sessionOf(1), call: 1 }));
    world.broker.storage.lateWrite = 0;
    expect(addressOf(await world.promised(ask(aaa, 1)))).toBe(address);
    await world.run(2 * QUARANTINE_MS);
    expect(aaa.leases.table.live).toBe(1);
    expect(addressOf(await world.promised(ask(aaa, 2)))).not.toBe(address);
  });

  test('both asked at once by every session: as many leases as addresses, all different', async () => {
    const world = createWorld({ seed: 13 });
    const all = [
      await instance(world, 'aaa1', { cidr: '10.98.0.0/26' }),
      await instance(world, 'aaa2', { cidr: '10.98.0.0/26' }),
    ];
    world.broker.storage.latencyMs = 5;
    const answers = await world.promised(
      Promise.all(Array.from({ length: 100 }, (_, number) => ask(all[number % 2] as Instance, number + 1))),
    );
    const addresses = answers.map(addressOf).filter((address) => address !== undefined);
    expect(addresses).toHaveLength(61);
    expect(new Set(addresses).size).toBe(61);
  });
});
