/**
 * What a Bus promises, as assertions. The same suite runs against real NATS servers and against the bus in
 * memory: nothing may rely on what only one of them does.
 */
import { type Bus, BusUnavailable, type Entry, type Message, RevisionConflict } from '@culvert/bus';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

export interface BusUnderTest {
  /** Two clients of the same server. */
  readonly a: Bus;
  readonly b: Bus;
  /** Lets what was sent arrive. */
  pass(): Promise<void>;
  /** Waits for a promise, letting time pass. */
  settled<T>(work: Promise<T>): Promise<T>;
  /** Takes the server away and brings it back with what it stored. */
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
  close(): Promise<void>;
}

const octets = (...values: number[]) => Uint8Array.from(values);

export function busContract(name: string, open: () => Promise<BusUnderTest>): void {
  describe(`${name}: the bus's contract`, () => {
    let bus: BusUnderTest;
    beforeAll(async () => {
      bus = await open();
    });
    afterAll(() => bus.close());
    messages(() => bus);
    requests(() => bus);
    buckets(() => bus);
    watches(() => bus);
    outages(() => bus);
  });
}

function messages(bus: () => BusUnderTest): void {
  test('a publication reaches every subscriber, with its trace, as plain data', async () => {
    const heard: Message<unknown>[] = [];
    const trace = '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01';
    const [one, two] = [bus().a, bus().b].map((client) =>
      client.subscribe('culvert.test.messages.*', (message) => heard.push(message)),
    );
    await bus().pass();
    const payload = { octets: octets(1, 2, 3), number: 2 ** 40, text: 'é', list: [null, true] };
    bus().a.publish('culvert.test.messages.7', payload, { trace });
    await bus().pass();
    expect(heard).toEqual([1, 2].map(() => ({ subject: 'culvert.test.messages.7', payload, trace })));
    const received = heard[0]?.payload as typeof payload | undefined;
    expect(Object.getPrototypeOf(received?.octets)).toBe(Uint8Array.prototype);
    one?.close();
    two?.close();
    bus().a.publish('culvert.test.messages.7', payload);
    await bus().pass();
    expect(heard).toHaveLength(2);
  });

  test('publications of one sender stay in order', async () => {
    const heard: number[] = [];
    const subscription = bus().b.subscribe<number>('culvert.test.order', ({ payload }) =>
      heard.push(payload),
    );
    await bus().pass();
    for (let index = 0; index < 50; index += 1) bus().a.publish('culvert.test.order', index);
    await bus().pass();
    expect(heard).toEqual(Array.from({ length: 50 }, (_, index) => index));
    subscription.close();
  });

  test('a wildcard is one token', async () => {
    const heard: string[] = [];
    const subscription = bus().b.subscribe('culvert.test.*.x', ({ subject }) => heard.push(subject));
    await bus().pass();
    for (const subject of ['culvert.test.a.x', 'culvert.test.a.b.x', 'culvert.test.x', 'culvert.test.a.y']) {
      bus().a.publish(subject, 0);
    }
    await bus().pass();
    expect(heard).toEqual(['culvert.test.a.x']);
    subscription.close();
  });

  test('a handler that throws harms nobody else', async () => {
    const heard: number[] = [];
    const faulty = bus().b.subscribe('culvert.test.faulty', () => {
      throw new Error('planned fault');
    });
    const sound = bus().b.subscribe<number>('culvert.test.faulty', ({ payload }) => heard.push(payload));
    await bus().pass();
    bus().a.publish('culvert.test.faulty', 1);
    bus().a.publish('culvert.test.faulty', 2);
    await bus().pass();
    expect(heard).toEqual([1, 2]);
    faulty.close();
    sound.close();
  });

  test('what is not plain data is refused at the sender', () => {
    class Wrapped {}
    expect(() => bus().a.publish('culvert.test.plain', { secret: new Wrapped() })).toThrow();
  });
}

function requests(bus: () => BusUnderTest): void {
  test('a request gets one answer of one responder', async () => {
    let asked = 0;
    const responders = [bus().a, bus().b].map((client) =>
      client.respond<number>('culvert.test.double', async ({ payload }) => {
        asked += 1;
        return payload * 2;
      }),
    );
    await bus().pass();
    const answers = [1, 2, 3].map((n) => bus().a.request('culvert.test.double', n, { timeoutMs: 1000 }));
    expect(await bus().settled(Promise.all(answers))).toEqual([2, 4, 6]);
    expect(asked).toBe(3);
    for (const responder of responders) responder.close();
  });

  test('nobody there is known at once, and known not to have been done', async () => {
    const question = bus().a.request('culvert.test.nobody', 1, { timeoutMs: 1000 });
    await expect(bus().settled(question)).rejects.toMatchObject({
      name: 'BusUnavailable',
      unknownOutcome: false,
    });
  });

  test('silence is unknown', async () => {
    const responder = bus().b.respond('culvert.test.silent', () => new Promise(() => undefined));
    await bus().pass();
    const question = bus().a.request('culvert.test.silent', 1, { timeoutMs: 100 });
    await expect(bus().settled(question)).rejects.toMatchObject({
      name: 'BusUnavailable',
      unknownOutcome: true,
    });
    responder.close();
  });

  test('a responder that throws is unknown, and soon', async () => {
    const responder = bus().b.respond('culvert.test.throws', () => {
      throw new Error('planned fault');
    });
    await bus().pass();
    const question = bus().a.request('culvert.test.throws', 1, { timeoutMs: 10_000 });
    await expect(bus().settled(question)).rejects.toMatchObject({
      name: 'BusUnavailable',
      unknownOutcome: true,
    });
    responder.close();
  });
}

function buckets(bus: () => BusUnderTest): void {
  test('compare-and-set', async () => {
    const bucket = await bus().settled(bus().a.bucket('culvert_test_cas'));
    const settled = <T>(work: Promise<T>) => bus().settled(work);
    expect(await settled(bucket.get('1.a'))).toBeUndefined();
    const first = await settled(bucket.create('1.a', octets(1)));
    expect(await settled(bucket.get('1.a'))).toEqual({ key: '1.a', value: octets(1), revision: first });
    await expect(settled(bucket.create('1.a', octets(2)))).rejects.toBeInstanceOf(RevisionConflict);
    const second = await settled(bucket.update('1.a', octets(3), first));
    expect(second).toBeGreaterThan(first);
    await expect(settled(bucket.update('1.a', octets(4), first))).rejects.toBeInstanceOf(RevisionConflict);
    await expect(settled(bucket.delete('1.a', first))).rejects.toBeInstanceOf(RevisionConflict);
    await settled(bucket.delete('1.a', second));
    expect(await settled(bucket.get('1.a'))).toBeUndefined();
    await expect(settled(bucket.update('1.a', octets(5), second))).rejects.toBeInstanceOf(RevisionConflict);
    const again = await settled(bucket.create('1.a', octets(6)));
    expect(again).toBeGreaterThan(second);
    expect((await settled(bucket.get('1.a')))?.value).toEqual(octets(6));
    await settled(bucket.delete('1.a'));
    expect(await settled(bucket.get('1.a'))).toBeUndefined();
  });

  test('of two writers at the same revision one wins', async () => {
    const [a, b] = await bus().settled(
      Promise.all([bus().a.bucket('culvert_test_race'), bus().b.bucket('culvert_test_race')]),
    );
    const revision = await bus().settled(a.create('k', octets(0)));
    const both = await bus().settled(
      Promise.allSettled([a.update('k', octets(1), revision), b.update('k', octets(2), revision)]),
    );
    const lost = both.filter((one) => one.status === 'rejected');
    expect(lost).toHaveLength(1);
    expect(lost[0]?.reason).toBeInstanceOf(RevisionConflict);
    const winner = both.findIndex((one) => one.status === 'fulfilled') + 1;
    expect((await bus().settled(b.get('k')))?.value).toEqual(octets(winner));
  });
}

function watches(bus: () => BusUnderTest): void {
  test('a watch gives what is there, then says so, then every change in order', async () => {
    const settled = <T>(work: Promise<T>) => bus().settled(work);
    const bucket = await settled(bus().a.bucket('culvert_test_watch'));
    await settled(bucket.create('1.a', octets(1)));
    const old = await settled(bucket.create('1.gone', octets(1)));
    await settled(bucket.delete('1.gone', old));
    await settled(bucket.create('2.b', octets(2)));
    const seen: (Entry | 'caught up')[] = [];
    const other = await settled(bus().b.bucket('culvert_test_watch'));
    const watch = await settled(
      other.watch(
        '1.*',
        (entry) => seen.push(entry),
        () => seen.push('caught up'),
      ),
    );
    await bus().pass();
    expect(seen.map(short)).toEqual(['1.a=1', 'caught up']);
    const revision = await settled(bucket.create('1.c', octets(3)));
    await settled(bucket.create('2.d', octets(4)));
    const next = await settled(bucket.update('1.c', octets(5), revision));
    await settled(bucket.delete('1.c', next));
    await bus().pass();
    expect(seen.map(short)).toEqual(['1.a=1', 'caught up', '1.c=3', '1.c=5', '1.c gone']);
    watch.close();
    await settled(bucket.create('1.e', octets(6)));
    await bus().pass();
    expect(seen).toHaveLength(5);
  });

  test('a watch of nothing is caught up at once', async () => {
    const bucket = await bus().settled(bus().a.bucket('culvert_test_empty'));
    let caughtUp = 0;
    const count = () => {
      caughtUp += 1;
    };
    const watch = await bus().settled(bucket.watch('>', () => undefined, count));
    await bus().pass();
    expect(caughtUp).toBe(1);
    watch.close();
  });
}

function outages(bus: () => BusUnderTest): void {
  test('without a server nothing hangs, and all comes back', async () => {
    const settled = <T>(work: Promise<T>) => bus().settled(work);
    const bucket = await settled(bus().a.bucket('culvert_test_outage'));
    const other = await settled(bus().b.bucket('culvert_test_outage'));
    const revision = await settled(bucket.create('kept', octets(1)));
    const removed = await settled(bucket.create('removed', octets(1)));
    const latest = new Map<string, Entry>();
    const turns: boolean[] = [];
    const heard: number[] = [];
    bus().b.onConnection((connected) => turns.push(connected));
    bus().b.subscribe<number>('culvert.test.outage', ({ payload }) => heard.push(payload));
    await settled(other.watch('>', (entry) => latest.set(entry.key, entry)));
    await bus().pass();
    await bus().stopServer();
    expect(bus().a.connected).toBe(false);
    bus().a.publish('culvert.test.outage', 1);
    const question = bus().a.request('culvert.test.outage', 1, { timeoutMs: 1000 });
    await expect(settled(question)).rejects.toBeInstanceOf(BusUnavailable);
    await expect(settled(bucket.update('kept', octets(2), revision))).rejects.toMatchObject({
      name: 'BusUnavailable',
      unknownOutcome: false,
    });
    await expect(settled(bucket.get('kept'))).rejects.toBeInstanceOf(BusUnavailable);
    await bus().startServer();
    expect(turns).toEqual([false, true]);
    await settled(bucket.update('kept', octets(3), revision));
    await settled(bucket.delete('removed', removed));
    bus().a.publish('culvert.test.outage', 2);
    await bus().pass();
    expect(heard).toEqual([2]);
    expect(latest.get('kept')?.value).toEqual(octets(3));
    expect(latest.get('removed')?.value).toBeUndefined();
  });
}

function short(seen: Entry | 'caught up'): string {
  if (seen === 'caught up') return seen;
  return seen.value === undefined ? `${seen.key} gone` : `${seen.key}=${seen.value[0]}`;
}
