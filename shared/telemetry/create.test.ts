import { createServer, type Server } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Secret } from '../crypto/index.ts';
import { createTelemetry } from './create.ts';
import type { TelemetryOptions } from './options.ts';
import type { Telemetry } from './telemetry.ts';

interface Receiver {
  readonly url: string;
  /** Path and body of everything that was posted. */
  readonly posts: { readonly path: string; readonly body: string }[];
  close(): Promise<void>;
}

let receiver: Receiver;
let printed: string[];
beforeEach(async () => {
  receiver = await otlpReceiver();
  printed = [];
});
afterEach(() => receiver.close());

const OFF: TelemetryOptions = {
  node: 'n1',
  version: '1',
  logLevel: 'info',
  sampling: 1,
  write: (line) => printed.push(line),
};
const on = () => createTelemetry('ike', { ...OFF, otlp: receiver.url });
const lines = () => printed.map((line) => JSON.parse(line) as Record<string, unknown>);

describe('logging', () => {
  test('a line names node, service, level and the span it was written in', async () => {
    const telemetry = await createTelemetry('ike', OFF);
    const trace = telemetry.newTrace();
    telemetry.span('step', trace, {}, () => telemetry.log.info({ peer: '192.0.2.1' }, 'hello'));
    telemetry.log.debug({}, 'not at this level');
    telemetry.log.child({ session: 'abc' }).warn({}, 'outside');
    expect(lines()).toMatchObject([
      {
        level: 'info',
        node: 'n1',
        service: 'ike',
        msg: 'hello',
        peer: '192.0.2.1',
        trace_id: trace.split('-')[1],
      },
      { level: 'warn', session: 'abc', msg: 'outside' },
    ]);
    expect(lines()).toHaveLength(2);
    expect(lines()[1]).not.toHaveProperty('trace_id');
  });

  test('a line that repeats is held back, and the next one says how often', async () => {
    const telemetry = await createTelemetry('ike', OFF);
    for (let index = 0; index < 500; index += 1) telemetry.log.warn({ index }, 'bad packet');
    telemetry.log.warn({}, 'something else');
    expect(lines().filter((line) => line.msg === 'bad packet')).toHaveLength(20);
    expect(lines().at(-1)).toMatchObject({ msg: 'something else' });
    await new Promise((resolve) => setTimeout(resolve, 600));
    telemetry.log.warn({}, 'bad packet');
    expect(lines().at(-1)).toMatchObject({ msg: 'bad packet', heldBack: 480 });
  });
});

test('without a receiver traces and counters work all the same', async () => {
  const telemetry = await createTelemetry('ike', OFF);
  const trace = telemetry.newTrace();
  const inner = telemetry.span('a', trace, {}, (span) => {
    expect(span.recording).toBe(false);
    return span.trace;
  });
  expect(inner.split('-')[1]).toBe(trace.split('-')[1]);
  telemetry.count('drops', { reason: 'b', kind: 'a' });
  telemetry.count('drops', { kind: 'a', reason: 'b' }, 2);
  telemetry.count('plain');
  expect(telemetry.counters()).toEqual({ 'drops{kind=a,reason=b}': 3, plain: 1 });
  await telemetry.flush();
});

describe('over OTLP', () => {
  test('one trace: the session, its steps, and their log lines', async () => {
    const telemetry = await on();
    const trace = telemetry.newTrace();
    await telemetry.span('ike.step', trace, { 'culvert.session': 'abc' }, async (span) => {
      expect(span.recording).toBe(true);
      telemetry.log.info({ user: 'anna' }, 'inside');
      await telemetry.span('l2tp.step', span.trace, {}, () => Promise.resolve());
    });
    await expect(
      telemetry.span('broken', trace, {}, () => Promise.reject(new Error('hunter2'))),
    ).rejects.toThrow();
    await telemetry.flush();
    const spans = posted('/v1/traces');
    const [, traceId] = trace.split('-');
    const named = Object.fromEntries(spans.map((span) => [span.name, span]));
    expect(Object.keys(named).sort()).toEqual(['broken', 'ike.step', 'l2tp.step', 'session']);
    expect(spans.every((span) => span.traceId === traceId)).toBe(true);
    expect(named['ike.step']?.parentSpanId).toBe(named.session?.spanId);
    expect(named['l2tp.step']?.parentSpanId).toBe(named['ike.step']?.spanId);
    expect(JSON.stringify(named.broken?.status)).toBe('{"code":2,"message":"Error"}');
    const [record] = posted('/v1/logs');
    expect(record).toMatchObject({ traceId, spanId: named['ike.step']?.spanId, severityText: 'info' });
  });

  test('metrics: counters, gauges, histograms', async () => {
    const telemetry = await on();
    telemetry.count('culvert.drops', { reason: 'x' }, 3);
    telemetry.gauge('culvert.sessions', () => 7);
    telemetry.gauge('culvert.depth', () => [[4, { protocol: 'ike' }]]);
    telemetry.histogram('culvert.step.ms', 0.3, { protocol: 'ike' });
    await telemetry.flush();
    const text = receiver.posts
      .filter((post) => post.path === '/v1/metrics')
      .map((post) => post.body)
      .join();
    for (const name of ['culvert.drops', 'culvert.sessions', 'culvert.depth', 'culvert.step.ms'])
      expect(text).toContain(name);
  });

  test('an unsampled session is not sent, and its traceparent says so', async () => {
    const telemetry = await createTelemetry('ike', { ...OFF, otlp: receiver.url, sampling: 0 });
    const trace = telemetry.newTrace();
    expect(trace.endsWith('-00')).toBe(true);
    telemetry.span('ike.step', trace, {}, (span) => expect(span.recording).toBe(false));
    await telemetry.flush();
    expect(posted('/v1/traces')).toEqual([]);
  });

  test('an absent receiver is counted and hurts nobody', async () => {
    const telemetry = await createTelemetry('ike', { ...OFF, otlp: 'http://127.0.0.1:1' });
    telemetry.span('ike.step', telemetry.newTrace(), {}, () => undefined);
    await telemetry.flush();
    expect(telemetry.counters()['culvert.telemetry.failures']).toBeGreaterThan(0);
  }, 20_000);
});

test('Prometheus reads the same counters', async () => {
  const port = await freePort();
  const telemetry = await createTelemetry('ike', { ...OFF, prometheus: { address: '127.0.0.1', port } });
  telemetry.count('culvert.host.drops', { reason: 'no-session' }, 2);
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(text).toMatch(/culvert_host_drops_total\{[^}]*reason="no-session"[^}]*\} 2/);
});

test('canary: a secret is in no sink in any encoding', async () => {
  const canary = 'CANARY-pw-0d1f2e3c4b5a6978';
  const octets = new TextEncoder().encode(canary);
  const port = await freePort();
  const telemetry = await createTelemetry('ike', {
    ...OFF,
    logLevel: 'debug',
    otlp: receiver.url,
    prometheus: { address: '127.0.0.1', port },
  });
  const carriers = {
    secret: Secret.fromText(canary),
    octets,
    buffer: Buffer.from(octets),
    nested: { list: [Secret.fromText(canary), octets] },
  };
  speak(telemetry, carriers);
  await telemetry.flush();
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const all = [
    ...printed,
    ...receiver.posts.map((post) => post.body),
    metrics,
    JSON.stringify(telemetry.counters()),
  ].join('\n');
  expect(all).toContain('[secret]');
  for (const form of encodings(octets)) expect(all.toLowerCase()).not.toContain(form.toLowerCase());
});

function speak(telemetry: Telemetry, carriers: Record<string, unknown>): void {
  for (const level of ['debug', 'info', 'warn', 'error'] as const) telemetry.log[level](carriers, 'carrying');
  telemetry.log.child(carriers).info({}, 'child');
  telemetry.log.error({ error: Object.assign(new Error('x', { cause: carriers }), carriers) }, 'error');
  // Wrongly typed on purpose: what a caller's mistake would hand over.
  const attributes = carriers as Record<string, string>;
  telemetry.span('step', telemetry.newTrace(), attributes, (span) => {
    span.set(attributes);
    span.event('event', attributes);
  });
}

function encodings(octets: Uint8Array): string[] {
  const buffer = Buffer.from(octets);
  const text = buffer.toString('utf8');
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), buffer])
      .toString('base64')
      .slice(4, -4),
  );
  return [
    text,
    text.slice(7, 23),
    buffer.toString('hex'),
    [...octets].join(','),
    [...octets].join(', '),
    encodeURIComponent(text),
    ...base64,
  ];
}

/** Spans or log records of all requests to one path. */
function posted(path: string): Record<string, unknown>[] {
  const found: Record<string, unknown>[] = [];
  for (const post of receiver.posts) {
    if (post.path !== path) continue;
    collect(JSON.parse(post.body), path === '/v1/traces' ? 'spans' : 'logRecords', found);
  }
  return found;
}

function collect(node: unknown, name: string, into: Record<string, unknown>[]): void {
  if (typeof node !== 'object' || node === null) return;
  for (const [key, value] of Object.entries(node)) {
    if (key === name && Array.isArray(value)) into.push(...(value as Record<string, unknown>[]));
    else collect(value, name, into);
  }
}

async function otlpReceiver(): Promise<Receiver> {
  const posts: Receiver['posts'] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
      posts.push({ path: request.url ?? '', body: body.toString('utf8') });
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  const port = await listening(server);
  return {
    url: `http://127.0.0.1:${port}`,
    posts,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
