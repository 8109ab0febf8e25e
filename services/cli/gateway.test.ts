import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { newPsk } from '@culvert/config';
import { findNatsServer, launch } from '@culvert/service-gateway';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const CULVERT = fileURLToPath(new URL('culvert', import.meta.url));
const BUS = fileURLToPath(new URL('../../shared/bus/index.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'culvert-cli-gateway-'));
const A = '0123456789abcdef';
const B = '01ff456789abcdef';
const C = '0102456789abcdef';

/** Services that answer as the real ones do, with three sessions; ike ends one when asked to, and mutes all for another. */
const service = (name: string) => `
import { connectNats } from ${JSON.stringify(BUS)};
const bus = await connectNats({ url: process.env.CULVERT_NATS_URL, name: '${name}' });
const startedAt = Date.now() - 90_000;
const live = new Set(['${A}', '${B}', '${C}']);
const facts = {
  edge: { user: 'alice', ipv4: '10.98.0.2', peer: '192.0.2.7:4500', suite: 'aes-cbc-256 hmac-sha1-96', octetsIn: 1234567, lastInboundAt: Date.now() - 7_000 },
  // Where the client was when it negotiated; its packets come from elsewhere since.
  ike: { client: 'windows', peer: '192.0.2.7:4499' },
  l2tp: { peerHostName: 'DESKTOP\\u001b[31m' },
  ppp: {},
}['${name}'];
const ending = (session) => '${name}' === 'l2tp' && session === '${B}' ? { ending: 'lifetime' } : {};
const summary = (session) => ({ session, service: '${name}', since: startedAt, states: { '${name}.main': 'open' }, facts: { ...facts, ...ending(session) }, traceId: 'f00d' });
bus.respond('culvert.admin.${name}.status', () => ({
  service: '${name}', node: 'n', pid: process.pid, version: '0', startedAt, state: 'serving', sessions: live.size,
  memoryBytes: 50 * 2 ** 20, counters: { '${name}.packets': 7, '${name}.none': 0 }, details: {},
}));
if (facts !== undefined) {
  const answers = [
    bus.respond('culvert.admin.${name}.sessions', () => [...live].map(summary)),
    bus.respond('culvert.admin.${name}.session', ({ payload }) => live.has(payload.session) ? summary(payload.session) : null),
  ];
  bus.subscribe('test.mute', () => answers.forEach((answer) => answer.close()));
}
bus.subscribe('test.ended', ({ payload }) => live.delete(payload.session));
if ('${name}' === 'ike') {
  bus.respond('culvert.ike.request.4', ({ payload }) => {
    const { id, session, request } = payload;
    if (request.type !== 'close' || request.reason !== 'operator' || !id.startsWith(session)) return { taken: false, reason: 'limit' };
    if (session === '${C}') bus.publish('test.mute', {});
    else setTimeout(() => bus.publish('test.ended', { session }), 300);
    return { taken: true };
  });
}
process.on('SIGTERM', () => process.exit(0));
`;

const stop = new AbortController();
let done: Promise<void>;

async function culvert(...args: string[]): Promise<{ status: number | null; out: string; error: string }> {
  const child = spawn(CULVERT, ['--config', join(folder, 'culvert.yaml'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, error, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((settle) => child.once('close', settle)),
  ]);
  return { status, out, error };
}

describe.runIf(findNatsServer(process.env) !== undefined)('with a running gateway', () => {
  beforeAll(async () => {
    for (const name of ['edge', 'ike', 'l2tp', 'ppp', 'aaa']) {
      mkdirSync(join(folder, 'services', name), { recursive: true });
      writeFileSync(join(folder, 'services', name, 'main.ts'), service(name));
    }
    writeFileSync(
      join(folder, 'culvert.yaml'),
      `stateDir: state\npsks: [{ name: a, secret: ${newPsk()} }]\n`,
    );
    const ready = Promise.withResolvers<void>();
    const quiet = () => undefined;
    done = launch({
      configFile: join(folder, 'culvert.yaml'),
      says: {
        line: quiet,
        text: quiet,
        service: quiet,
        event: ({ event }) => event === 'ready' && ready.resolve(),
      },
      stop: stop.signal,
      serviceFolder: join(folder, 'services'),
    });
    await Promise.race([ready.promise, done]);
  }, 60_000);

  afterAll(async () => {
    stop.abort();
    await done;
    rmSync(folder, { recursive: true });
  }, 60_000);

  test('status', async () => {
    const { status, out } = await culvert('status');
    expect(status).toBe(0);
    expect(out).toMatch(/^ike +serving +3 +50 MiB +1 min/m);
    expect(out).not.toContain('packets');
    const { out: counters } = await culvert('status', '--counters');
    expect(counters).toMatch(/^edge +edge\.packets +7$/m);
    expect(counters).not.toContain('edge.none');
    const json = JSON.parse((await culvert('status', '--json')).out);
    expect(json).toMatchObject({
      healthy: true,
      nats: { embedded: true },
      services: { aaa: { state: 'serving' } },
    });
    expect(JSON.stringify(json)).not.toContain('password');
  }, 60_000);

  test('sessions and session', async () => {
    const { out } = await culvert('sessions');
    expect(out).toMatch(/^SESSION +USER +ADDRESS +PEER +SUITE +IN +OUT +SINCE$/m);
    expect(out).toMatch(
      new RegExp(
        `^${A} +alice +10\\.98\\.0\\.2 +192\\.0\\.2\\.7:4500 +aes-cbc-256 hmac-sha1-96 +1\\.2 MB`,
        'm',
      ),
    );
    expect(JSON.parse((await culvert('sessions', '--json')).out)).toHaveLength(3);
    expect(out).toMatch(new RegExp(`^${B} .* ending: lifetime$`, 'm'));

    const one = await culvert('session', '012');
    expect(one.out).toMatch(/lastInboundAt +\d{4}-.*Z \(\d+ s ago\)/);
    expect(one.out).toContain('client');
    expect(one.out).toContain('DESKTOP?[31m');
    expect(one.out).toMatch(/l2tp\.main +open/);
    const json = JSON.parse((await culvert('session', '012', '--json')).out);
    expect(json).toMatchObject({
      session: A,
      traceId: 'f00d',
      services: ['edge', 'ike', 'l2tp', 'ppp'],
      facts: { client: 'windows' },
    });
  }, 60_000);

  test('an id that is none, or several', async () => {
    expect(await culvert('session', 'ff')).toMatchObject({
      status: 1,
      error: 'ID is no session (ff); culvert sessions lists them\n',
    });
    const many = await culvert('disconnect', '01');
    expect(many.status).toBe(1);
    expect(many.error).toContain(`ID begins several sessions (01); write more of one of ${A}, ${B}, ${C}`);
  }, 60_000);

  test('disconnect ends a session and waits for it', async () => {
    expect(await culvert('disconnect', '0123', '--json')).toMatchObject({
      status: 0,
      out: `${JSON.stringify({ session: A, ended: true }, undefined, 2)}\n`,
    });
    expect((await culvert('sessions', '--json')).out).not.toContain(A);
    const refused = await culvert('disconnect', '01ff');
    expect(refused.status).toBe(1);
    expect(refused.error).toContain('is not answered for by ike');
  }, 60_000);

  test('services that do not answer are no sign of its end', async () => {
    const { status, out } = await culvert('disconnect', '0102');
    expect(out).toContain(`${C} is ending`);
    expect(status).toBe(1);
  }, 60_000);
});
