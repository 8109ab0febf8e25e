import { BusUnavailable } from '@culvert/bus';
import { parseConfig } from '@culvert/config';
import {
  type AuthAnswer,
  type LeaseAnswer,
  type OfferAnswer,
  type ServiceStatus,
  subjects,
} from '@culvert/contracts';
import { ntPasswordHash, ntResponse, papPasswordPlace } from '@culvert/crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createWorld, type SimRuntime, simRuntime, type World } from '../../test/sim/index.ts';
import { createAaaService } from './index.ts';

const CONFIG = `
psks:
  - { name: all, secret: "W9dHj3kfLq82mZx0TtRv4bNcQy7Ps1Ew" }
users:
  - { name: alice, password: "correct horse battery", ipv4: 10.98.0.50 }
  - { name: bob, password: "tr0ub4dor and three" }
pool: { ipv4: 10.98.0.0/24, ipv6: "2001:db8:77::/48" }
`;
const SESSION = '00aabbccddeeff01';
const utf8 = (text: string) => new TextEncoder().encode(text);

interface Set {
  readonly world: World;
  readonly aaa: SimRuntime;
  readonly ppp: SimRuntime;
  ask<T>(subject: string, payload: unknown): Promise<T>;
}

async function started(seed: number, text = CONFIG): Promise<Set> {
  const world = createWorld({ seed });
  const config = parseConfig(text, '/nonexistent/culvert-test');
  const [aaa, ppp] = [simRuntime('aaa', world, config), simRuntime('ppp', world, config)];
  await world.promised(createAaaService(aaa).start());
  const ask = <T>(subject: string, payload: unknown) =>
    world.promised(
      ppp.bus.request<T>(subject, payload, { timeoutMs: 5_000, trace: ppp.telemetry.newTrace() }),
    );
  return { world, aaa, ppp, ask };
}

function msChap(user: string, password: string) {
  const [authenticatorChallenge, peerChallenge] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)];
  const exchange = { authenticatorChallenge, peerChallenge, userName: utf8(user) };
  const answer = ntResponse(exchange, ntPasswordHash(password));
  return { method: 'ms-chap-v2', authenticatorChallenge, peerChallenge, ntResponse: answer } as const;
}

describe('aaa over the bus', () => {
  test('offer, login, lease, release, status', async () => {
    const { world, aaa, ppp, ask } = await started(1);
    const base = { id: 'i', session: SESSION, callingStation: '192.0.2.7' };
    expect(await ask<OfferAnswer>(subjects.aaa.offer, { session: SESSION })).toEqual({
      methods: ['ms-chap-v2', 'pap'],
    });

    const login = { ...base, user: 'alice', proof: msChap('alice', 'correct horse battery') };
    const accepted = await ask<AuthAnswer>(subjects.aaa.authenticate, login);
    expect(accepted).toMatchObject({ accepted: true, user: 'alice', policy: { staticIpv4: '10.98.0.50' } });
    const sealedPassword = ppp.sealer.seal(papPasswordPlace(SESSION), utf8('tr0ub4dor and three'));
    const pap = { ...base, user: 'bob', proof: { method: 'pap', sealedPassword } };
    expect(await ask<AuthAnswer>(subjects.aaa.authenticate, pap)).toMatchObject({
      accepted: true,
      user: 'bob',
    });

    const wanted = { id: 'l', session: SESSION, call: 9, user: 'alice', families: [4, 6] };
    const leased = await ask<LeaseAnswer>(subjects.aaa.lease, wanted);
    expect(leased).toMatchObject({
      leased: true,
      ipv4: { address: '10.98.0.50', gateway: '10.98.0.1' },
      ipv6: { prefixLength: 64 },
    });
    expect(await ask<LeaseAnswer>(subjects.aaa.lease, wanted)).toEqual(leased);

    const status = await ask<ServiceStatus>(subjects.admin.status('aaa'), {});
    expect(status).toMatchObject({
      service: 'aaa',
      sessions: 2,
      details: { users: 2, methods: 'ms-chap-v2, pap', leases: 2 },
    });
    expect(status.counters).toMatchObject({ 'aaa_logins{method=ms-chap-v2,outcome=accepted}': 1 });
    expect(await ask(subjects.aaa.release, { id: 'r', session: SESSION, call: 9 })).toEqual({ taken: true });
    expect(await ask<ServiceStatus>(subjects.admin.status('aaa'), {})).toMatchObject({ sessions: 0 });

    const spans = aaa.telemetry.spans.map(({ name }) => name);
    expect(spans.filter((name) => name.startsWith('aaa'))).toEqual([
      'aaa authenticate',
      'aaa authenticate',
      'aaa lease',
      'aaa lease',
    ]);
    await world.promised(aaa.stop());
    expect(JSON.stringify([aaa.telemetry.lines, aaa.telemetry.spans])).not.toMatch(/horse|tr0ub4dor/);
  });

  test('when it stops nothing is left to happen', async () => {
    const { world, aaa, ask } = await started(2);
    await ask(subjects.aaa.lease, { id: 'l', session: SESSION, call: 9, user: 'alice', families: [4] });
    await world.promised(aaa.stop());
    await expect(ask(subjects.aaa.offer, {})).rejects.toThrow(BusUnavailable);
    await world.run(10);
    expect(world.clock.pending).toBe(0);
  });

  test('comes up before its store, refuses meanwhile by not answering, and serves when it is there', async () => {
    const world = createWorld({ seed: 3 });
    const config = parseConfig(CONFIG, '/nonexistent/culvert-test');
    const [aaa, ppp] = [simRuntime('aaa', world, config), simRuntime('ppp', world, config)];
    world.broker.storage.away = true;
    const starting = createAaaService(aaa).start();
    await world.run(3_500);
    expect(
      aaa.telemetry.lines.some(({ message }) => message.includes('lease store does not answer yet')),
    ).toBe(true);
    const question = { id: 'l', session: SESSION, call: 9, user: 'bob', families: [4] };
    const ask = () =>
      world.promised(ppp.bus.request<LeaseAnswer>(subjects.aaa.lease, question, { timeoutMs: 1_000 }));
    await expect(ask()).rejects.toThrow(BusUnavailable);
    world.broker.storage.away = false;
    await world.promised(starting);
    expect((await ask()).leased).toBe(true);
  });
});

describe('the bus is not trusted', () => {
  test('malformed questions are counted and refused, never thrown', async () => {
    const { aaa, ask } = await started(4);
    const good = {
      id: 'i',
      session: SESSION,
      callingStation: 'x',
      user: 'alice',
      proof: msChap('alice', 'x'),
    };
    const bad = [
      null,
      7,
      'text',
      [],
      {},
      { ...good, session: 'short' },
      { ...good, session: '../../../../etc/pw' },
      { ...good, user: 7 },
      { ...good, user: 'x'.repeat(1025) },
      { ...good, proof: { method: 'eap' } },
      { ...good, proof: { ...good.proof, ntResponse: 'text' } },
      { ...good, proof: { ...good.proof, peerChallenge: new Uint8Array(256) } },
      { ...good, proof: { method: 'pap', sealedPassword: new Uint8Array(1025) } },
    ];
    for (const payload of bad) {
      expect(await ask(subjects.aaa.authenticate, payload)).toEqual({
        accepted: false,
        reason: 'unavailable',
      });
      expect(await ask(subjects.aaa.lease, payload)).toEqual({ leased: false, reason: 'unavailable' });
      expect(await ask(subjects.aaa.release, payload)).toEqual({ taken: true });
    }
    const counted = aaa.telemetry.counters();
    for (const subject of ['authenticate', 'lease', 'release'])
      expect(counted[`aaa_malformed{subject=${subject}}`]).toBe(bad.length);
  });

  test('any plain data gets an answer', async () => {
    const { ask } = await started(5);
    const plain = fc.object({
      maxDepth: 2,
      values: [fc.string(), fc.integer(), fc.boolean(), fc.uint8Array({ maxLength: 40 })],
    });
    await fc.assert(
      fc.asyncProperty(plain, async (payload) => {
        const { __proto__: _drop, ...rest } = payload as Record<string, unknown>;
        expect(await ask(subjects.aaa.authenticate, rest)).toMatchObject({ accepted: false });
        expect(await ask(subjects.aaa.lease, rest)).toMatchObject({ leased: false });
      }),
      { numRuns: 30 },
    );
  });
});
