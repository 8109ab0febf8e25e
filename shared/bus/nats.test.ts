import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { natsServers, testServer } from '../../test/nats/server.ts';
import { busContract } from '../../test/sim/contract.ts';
import { type Bus, BusUnavailable } from './bus.ts';
import { connectNats } from './nats.ts';

for (const { path, version } of natsServers()) {
  busContract(`nats-server ${version}`, async () => {
    const server = await testServer(path);
    await server.start();
    const [a, b] = await Promise.all(['a', 'b'].map((name) => connectNats({ url: server.url, name })));
    if (a === undefined || b === undefined) throw new Error('not connected');
    return {
      a,
      b,
      pass: () => delay(150),
      settled: (work) => work,
      async stopServer() {
        await server.kill();
        await turned([a, b], false);
      },
      async startServer() {
        await server.start();
        await turned([a, b], true);
        await delay(500);
      },
      async close() {
        await Promise.all([a.close(), b.close()]);
        await server.remove();
      },
    };
  });
}

test('waits for a server that comes later, and says so', async () => {
  const [first] = natsServers();
  const server = await testServer(first?.path ?? '');
  const said: string[] = [];
  const note = (_fields: object, message: string) => void said.push(message);
  const observer = { count: () => undefined, log: { debug: note, info: note, warn: note, error: note } };
  const connecting = connectNats({ url: server.url, name: 'early', observer });
  await delay(400);
  expect(said[0]).toBe('waiting for NATS');
  await server.start();
  const bus = await connecting;
  expect(bus.connected).toBe(true);
  expect(said.at(-1)).toBe('connected to NATS');
  await bus.close();
  await server.remove();
});

test('gives up waiting when told to', async () => {
  const stop = new AbortController();
  const connecting = connectNats({ url: 'nats://127.0.0.1:1', name: 'never', signal: stop.signal });
  setTimeout(() => stop.abort(), 100);
  await expect(connecting).rejects.toBeInstanceOf(BusUnavailable);
});

/** As one that was stopped by a signal, or whose disk hangs: the kernel accepts, nobody speaks. */
test('a server that accepts and says nothing costs no connection per attempt', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const reasons: unknown[] = [];
  const note = (fields: { reason?: unknown }) => void reasons.push(fields.reason);
  const observer = { count: () => undefined, log: { debug: note, info: note, warn: note, error: note } };
  const url = `nats://127.0.0.1:${port}`;
  const connecting = connectNats({ url, name: 'patient', observer, signal: AbortSignal.timeout(5000) });
  await expect(connecting).rejects.toBeInstanceOf(BusUnavailable);
  // Said once, not with every attempt.
  expect(reasons).toHaveLength(1);
  expect(reasons[0]).toContain('does not answer');
  const open = promisify(silent.getConnections.bind(silent));
  const ask = () => open();
  await expect.poll(ask, { timeout: 2000 }).toBe(0);
  silent.close();
}, 15_000);

test('a watch reports what went while nobody could look', async () => {
  const [first] = natsServers();
  const server = await testServer(first?.path ?? '');
  await server.start();
  const bus = await connectNats({ url: server.url, name: 'watcher' });
  const bucket = await bus.bucket('culvert_test_missed');
  await bucket.create('a', Uint8Array.of(1));
  const seen: string[] = [];
  await bucket.watch(
    '>',
    (entry) => void seen.push(`${entry.key} ${entry.value === undefined ? 'gone' : 'there'}`),
  );
  await delay(100);
  expect(seen).toEqual(['a there']);
  // The storage is lost altogether: the server comes back empty.
  await server.remove();
  await turned([bus], false);
  await server.start();
  await turned([bus], true);
  const fresh = await connectNats({ url: server.url, name: 'restorer' });
  await fresh.bucket('culvert_test_missed');
  await expect.poll(() => seen, { timeout: 15_000 }).toEqual(['a there', 'a gone']);
  await Promise.all([bus.close(), fresh.close()]);
  await server.remove();
});

async function turned(buses: readonly Bus[], connected: boolean): Promise<void> {
  const until = performance.now() + 15_000;
  while (buses.some((bus) => bus.connected !== connected)) {
    if (performance.now() > until) throw new Error(`still ${connected ? 'dis' : ''}connected`);
    await delay(10);
  }
}
