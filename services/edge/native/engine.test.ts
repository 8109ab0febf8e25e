import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { accountOctets, readAccount } from './engine/index.ts';
import { udpPacket } from './ip-packets.fixture.ts';
import { AT, clientOf, createRig, openedBy, sealerOf } from './rig.fixture.ts';

describe('the account in shared memory', () => {
  const memoryFor = (sessionsMax = 64, sasMax = 128) =>
    new SharedArrayBuffer(accountOctets({ sessionsMax, sasMax }));

  test('a second engine on the same memory goes on where the first one was', () => {
    const memory = memoryFor();
    const client = clientOf(1);
    const sealer = sealerOf(client);
    const first = createRig({ memory });
    first.declare(client);
    first.outer(
      client,
      [1, 2, 3].map((id) => sealer.user(udpPacket(client, { id }))),
    );
    first.outer(client, [sealer.seal(new Uint8Array(3), 17)]);
    first.engine.publish(AT);
    const before = first.account.session(client.session);
    expect(before).toMatchObject({ packetsIn: 3, drops: 1, lastInboundAt: AT });

    const second = createRig({ memory });
    expect(second.account.session(client.session)).toEqual({ ...before, windows: [] });
    second.declare(client, client.entries, AT + 5);
    second.engine.publish(AT + 5);
    expect(second.account.session(client.session)).toMatchObject({
      packetsIn: 3,
      drops: 1,
      lastInboundAt: AT,
    });
    second.outer(client, [sealer.user(udpPacket(client, { id: 4 }))], AT + 9);
    second.engine.publish(AT + 9);
    expect(second.account.session(client.session)).toMatchObject({
      ...{ packetsIn: 4, drops: 1, lastInboundAt: AT + 9, sas: 1, links: 1 },
    });
  });

  test('what nobody takes up again goes after a minute of ticks', () => {
    const memory = memoryFor();
    createRig({ memory }).declare(clientOf(1));
    const { engine, account } = createRig({ memory });
    for (let tick = 0; tick < 239; tick += 1) engine.tick(AT);
    expect(account.session(clientOf(1).session)).toBeDefined();
    engine.tick(AT);
    expect(account.session(clientOf(1).session)).toBeUndefined();
  });

  test('marks and counters outlive the thread of their engine', async () => {
    const memory = memoryFor();
    const client = clientOf(3);
    const sealer = sealerOf(client);
    const packets = [1, 2, 3, 4, 5].map((id) => sealer.user(udpPacket(client, { id })));
    const account = readAccount(memory, { sessionsMax: 64, sasMax: 128 });
    await engineThread({ memory, number: 3, packets });
    expect(account.marks()).toEqual(
      new Map([[client.sa.inboundSpi, { outboundSpi: client.sa.outboundSpi, top: 5, next: 0 }]]),
    );
    expect(account.session(client.session)).toMatchObject({ packetsIn: 5, sas: 1, lastInboundAt: AT });
  });

  test('rows are used again, empty', () => {
    const rig = createRig({ sessionsMax: 3, sasMax: 3 });
    for (let number = 1; number <= 40; number += 1) {
      const client = clientOf(number);
      rig.declare(client);
      rig.outer(client, [sealerOf(client).user(udpPacket(client, {}))]);
      rig.engine.publish(AT);
      const report = rig.account.session(client.session);
      expect(report).toMatchObject({ packetsIn: 1, octetsIn: 60, drops: 0, sas: 1 });
      expect(report?.windows).toEqual([
        { inboundSpi: client.sa.inboundSpi, outboundSpi: client.sa.outboundSpi, top: 1 },
      ]);
      rig.declare(client, []);
      expect(rig.account.session(client.session)).toBeUndefined();
    }
    expect(rig.account.marks().size).toBe(0);
    expect(rig.account.counter('sessionRows')).toBe(2);
  });

  test('a session without a row works like every other', () => {
    const rig = createRig({ sessionsMax: 2, sasMax: 2 });
    const clients = [1, 2, 3].map((number) => clientOf(number));
    for (const client of clients) rig.declare(client);
    for (const client of clients) {
      rig.grant(client);
      expect(rig.outer(client, [sealerOf(client).user(udpPacket(client, {}))])).toHaveLength(1);
      expect(rig.inner(udpPacket(client, { toClient: true }))).toHaveLength(1);
    }
    rig.engine.publish(AT);
    expect(clients.map(({ session }) => rig.account.session(session)?.packetsIn)).toEqual([
      1,
      undefined,
      undefined,
    ]);
    expect(rig.account.marks().size).toBe(1);
    for (const client of clients.toReversed()) rig.declare(client, []);
    rig.declare(clients[1] ?? clientOf(2));
    rig.engine.publish(AT);
    expect(rig.account.session(clientOf(2).session)).toMatchObject({ packetsIn: 0, sas: 1 });
  });

  test('a new row has no past', () => {
    const rig = createRig();
    rig.declare(clientOf(1));
    expect(rig.account.session(clientOf(1).session)).not.toHaveProperty('lastInboundAt');
  });

  test('a reader never sees half a row', async () => {
    const memory = memoryFor();
    const client = clientOf(5);
    const account = readAccount(memory, { sessionsMax: 64, sasMax: 128 });
    let seen = 0;
    let told = -1;
    const look = () => {
      const report = account.session(client.session);
      if (report === undefined) return;
      // Written together: the time says how many packets have been refused.
      if (report.lastInboundAt !== undefined) {
        expect(report.drops).toBe((report.lastInboundAt - AT) / 10);
        expect(report.lastInboundAt).toBeGreaterThanOrEqual(told);
        told = report.lastInboundAt;
      }
      seen += 1;
    };
    await engineThread({ memory, number: 5, packets: [], turns: 4000 }, look);
    expect(seen).toBeGreaterThan(100);
  });
});

interface Orders {
  readonly memory: SharedArrayBuffer;
  readonly number: number;
  readonly packets: readonly Uint8Array[];
  readonly turns?: number;
}

/** An engine in a thread of its own, which is ended when it has done what it was told. */
async function engineThread(orders: Orders, look: () => void = () => undefined): Promise<void> {
  const worker = new Worker(new URL('./engine-thread.fixture.ts', import.meta.url), { workerData: orders });
  let done = false;
  const ended = new Promise<void>((resolve, reject) => {
    worker.once('message', () => {
      done = true;
      resolve();
    });
    worker.once('error', reject);
  });
  while (!done) {
    for (let round = 0; round < 50; round += 1) look();
    await Promise.race([ended, new Promise((resolve) => setImmediate(resolve))]);
  }
  await worker.terminate();
}

describe('tables', () => {
  test('of two SAs with one SPI, one may go', () => {
    const rig = createRig();
    const client = clientOf(1);
    const { sa } = client;
    const twin = { ...sa, outboundSpi: 0x9_9999 };
    rig.declare(client, [twin, ...client.entries]);
    rig.declare(client);
    const sealer = sealerOf(client);
    expect(rig.outer(client, [sealer.user(udpPacket(client, {}))])).toHaveLength(1);
    rig.declare(client, [twin, ...client.entries]);
    rig.declare(client, []);
    expect(rig.account.marks().size).toBe(0);
  });

  test('a call of number 0 is refused: that is the link in tunnel mode', () => {
    const rig = createRig();
    const client = clientOf(1);
    const octets = Uint8Array.from([
      0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 2, 0, 5, 0, 0, 0, 6, 0, 8, 6, 165, 6, 165, 0,
    ]);
    expect(rig.engine.declare(octets, AT)).toMatch(/call/);
    expect(rig.account.session(client.session)).toBeUndefined();
  });
});

describe('expanded keys', () => {
  /** Below it nothing gives way; a slab of more would hold them all. */
  const SLOTS = 16_384;

  test('what gave way is expanded again', { timeout: 120_000 }, () => {
    const rig = createRig({ sessionsMax: 2, sasMax: 2 });
    const clients = Array.from({ length: SLOTS + 500 }, (_, index) => clientOf(index + 1));
    for (const client of clients) {
      rig.declare(client);
    }
    const first = clients[0] ?? clientOf(1);
    const sealers = clients.map((client) => sealerOf(client));
    for (const [index, client] of clients.entries()) {
      const sealed = sealers[index]?.user(udpPacket(client, {})) ?? new Uint8Array();
      expect(rig.outer(client, [sealed])).toHaveLength(1);
    }
    rig.grant(first);
    const sealed = sealers[0]?.user(udpPacket(first, { id: 2 })) ?? new Uint8Array();
    expect(rig.outer(first, [sealed])).toHaveLength(1);
    const [out] = rig.inner(udpPacket(first, { toClient: true }));
    expect(openedBy(first, out?.octets ?? new Uint8Array()).sequence).toBe(1);
    expect(rig.account.counters().drops['esp-icv']).toBe(0);
  });
});
