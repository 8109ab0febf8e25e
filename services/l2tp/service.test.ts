import { parseConfig } from '@culvert/config';
import {
  type ActivityAnswer,
  buckets,
  type CallEntry,
  type IkeRequest,
  type L2tpDatagram,
  type L2tpRequest,
  type PppRequest,
  type Requested,
  recordKey,
  shardOfHex,
  subjects,
  type Taken,
} from '@culvert/contracts';
import { readForwardPart } from '@culvert/host';
import { emitControlMessage, type OutgoingMessage, parseControlMessage } from '@culvert/wire/l2tp';
import { describe, expect, test } from 'vitest';
import { Lac } from '../../test/peer/lac.ts';
import {
  inWorld,
  type SimProcess,
  type SimRuntime,
  simProcess,
  simRuntime,
  type World,
} from '../../test/sim/index.ts';
import { createL2tpService } from './index.ts';

const SESSION = 'abcd0123456789ef';
const SHARD = shardOfHex(SESSION);
const CONFIG = `
node: n1
psks: [{ name: office, secret: 'J3v9-wQx7_2mNbR5tYp8LkHs4Df6GcVz1AqWeUiOn' }]
`;

interface Bench {
  readonly world: World;
  readonly around: SimProcess;
  service: SimRuntime;
  /** What the neighbours were asked, in order. */
  readonly ike: IkeRequest[];
  readonly ppp: PppRequest[];
  readonly sent: L2tpDatagram[];
  readonly lacs: Map<string, Lac>;
  activity: ActivityAnswer;
  pppTakes: Taken;
}

/** The service between a simulated edge, ike and ppp, with clients behind the edge. */
async function bench(world: World, config = CONFIG): Promise<Bench> {
  const around = simProcess('around', world);
  const service = simRuntime('l2tp', world, parseConfig(config, '/'));
  const it: Bench = {
    world,
    around,
    service,
    ike: [],
    ppp: [],
    sent: [],
    lacs: new Map(),
    activity: { idleMs: 0 },
    pppTakes: { taken: true },
  };
  around.bus.subscribe<L2tpDatagram>(subjects.edge.l2tp('*'), ({ payload }) => {
    it.sent.push(payload);
    it.lacs.get(payload.session)?.receive(payload.octets);
  });
  around.bus.respond<Requested<IkeRequest>>(subjects.ike.request('*'), ({ payload }): Taken => {
    it.ike.push(payload.request);
    return { taken: true };
  });
  const seen = new Set<string>();
  around.bus.respond<Requested<PppRequest>>(subjects.ppp.request('*'), ({ payload }): Taken => {
    // Repeated from the outbox after a restore: the same id is the same request.
    if (!seen.has(payload.id)) it.ppp.push(payload.request);
    seen.add(payload.id);
    return it.pppTakes;
  });
  around.bus.respond(subjects.edge.activity('*'), () => it.activity);
  await world.promised(createL2tpService(service).start());
  return it;
}

function client(it: Bench, session = SESSION): Lac {
  const lac = new Lac({
    clock: it.around.clock,
    entropy: it.around.entropy,
    send: (octets) => arrive(it, octets, session),
    up: () => undefined,
    frame: () => undefined,
    down: () => undefined,
  });
  it.lacs.set(session, lac);
  return lac;
}

const FLOW = {
  local: { address: '192.0.2.1', port: 4500 },
  remote: { address: '198.51.100.7', port: 61_000 },
};

function arrive(it: Bench, octets: Uint8Array, session = SESSION): void {
  const innerPorts = { local: 1701, remote: 1701 };
  const packet = { session, spi: 0x12345678, flow: FLOW, innerPorts, octets };
  it.around.bus.publish(subjects.l2tp.packet(shardOfHex(session)), packet);
}

let asked = 0;
async function ask(it: Bench, request: L2tpRequest, session = SESSION): Promise<Taken> {
  asked += 1;
  const requested: Requested<L2tpRequest> = { id: `test/${asked}`, session, request };
  const subject = subjects.l2tp.request(shardOfHex(session));
  return it.world.promised(it.around.bus.request<Taken>(subject, requested, { timeoutMs: 2_000 }));
}

async function connected(it: Bench, session = SESSION): Promise<Lac> {
  const lac = client(it, session);
  lac.connect();
  await it.world.until(() => lac.state === 'up', 5_000);
  await it.world.run(1_000);
  return lac;
}

const types = (it: Bench): string[] =>
  it.sent.splice(0).map(({ octets }) => {
    const message = parseControlMessage(octets);
    return message.ok ? (message.value.body?.type ?? 'ZLB') : message.reason;
  });

async function entries(it: Bench, session = SESSION): Promise<readonly CallEntry[]> {
  const key = recordKey(shardOfHex(session), session);
  const bucket = await it.world.promised(it.around.bus.bucket(buckets.l2tp));
  const entry = await it.world.promised(bucket.get(key));
  const part = entry === undefined ? undefined : readForwardPart(it.around.sealer, buckets.l2tp, entry);
  return (part?.entries ?? []) as readonly CallEntry[];
}

describe('set-up', () => {
  test('a call is declared to the edge before ICRP, and PPP begins at ICCN', () =>
    inWorld({ seed: 1 }, async (world) => {
      const it = await bench(world);
      await connected(it);
      const icrp = it.sent.find(({ after }) => after !== undefined);
      expect(icrp?.after).toEqual({
        bucket: buckets.l2tp,
        key: recordKey(SHARD, SESSION),
        revision: expect.any(Number),
      });
      expect(types(it)).toEqual(expect.arrayContaining(['SCCRP', 'ICRP', 'ZLB']));
      expect(it.ike).toEqual([{ type: 'tunnel.opened' }]);
      const [entry] = await entries(it);
      const lac = it.lacs.get(SESSION);
      expect(entry).toMatchObject({
        kind: 'call',
        session: SESSION,
        innerPorts: { local: 1701, remote: 1701 },
        sequencing: false,
      });
      expect(entry?.theirs).toEqual({ tunnel: lac?.tunnelId, call: lac?.sessionId });
      expect(it.ppp).toEqual([
        { type: 'link.start', call: entry?.ours.call, callingStation: '198.51.100.7' },
      ]);
    }));

  test('nothing is stored before the first call, and twice at most until it is up', () =>
    inWorld({ seed: 2 }, async (world) => {
      const it = await bench(world);
      const lac = client(it);
      lac.connect();
      await world.until(() => lac.heard.includes('SCCRP'), 1_000);
      expect(await entries(it)).toEqual([]);
      await world.until(() => lac.state === 'up', 5_000);
      await world.run(1_000);
      const stored = await world.promised(it.around.bus.bucket(buckets.l2tp));
      const entry = await world.promised(stored.get(recordKey(SHARD, SESSION)));
      expect(entry?.revision).toBeLessThanOrEqual(2);
    }));

  test('three clients with the same inner ports and their own sessions', () =>
    inWorld({ seed: 3 }, async (world) => {
      const it = await bench(world);
      const sessions = [SESSION, 'abcd0000000000aa', '1234000000000000'];
      for (const session of sessions) await connected(it, session);
      for (const session of sessions) expect(await entries(it, session)).toHaveLength(1);
    }));

  test('with loss it takes longer, and happens once', () =>
    inWorld({ seed: 4 }, async (world) => {
      const it = await bench(world);
      world.broker.messages.loss = 0.2;
      const lac = client(it);
      lac.connect();
      await world.until(() => lac.state === 'up' && it.ppp.length > 0, 60_000);
      world.broker.messages.loss = 0;
      await world.run(20_000);
      expect(await entries(it)).toHaveLength(1);
      expect(new Set(it.ppp.map((request) => JSON.stringify(request))).size).toBe(1);
    }));

  test('a link that ppp has no room for is a call turned away', () =>
    inWorld({ seed: 5 }, async (world) => {
      const it = await bench(world);
      it.pppTakes = { taken: false, reason: 'limit' };
      const lac = client(it);
      lac.connect();
      await world.run(2_000);
      expect(lac.heard).toContain('CDN');
      expect(await entries(it)).toEqual([]);
    }));
});

describe('end', () => {
  test('close in order: PPP, CDN, StopCCN, ike; then session.ended leaves nothing', () =>
    inWorld({ seed: 6 }, async (world) => {
      const it = await bench(world);
      await connected(it);
      const call = (await entries(it))[0]?.ours.call ?? 0;
      types(it);
      expect(await ask(it, { type: 'close', reason: 'operator' })).toEqual({ taken: true });
      expect(it.ppp.at(-1)).toEqual({ type: 'link.close', call, reason: 'operator' });
      await ask(it, { type: 'call.disconnect', call, reason: 'operator', advice: 'maintenance' });
      await world.run(1_000);
      expect(types(it)).toEqual(['CDN', 'StopCCN']);
      expect(it.ike.at(-1)).toEqual({ type: 'tunnel.closed', reason: 'operator' });
      await ask(it, { type: 'session.ended', reason: 'operator' });
      await world.run(100);
      expect(await ask(it, { type: 'close', reason: 'operator' })).toEqual({
        taken: false,
        reason: 'no-session',
      });
      expect(it.ppp.filter(({ type }) => type === 'link.stop')).toEqual([]);
    }));

  test('the client hangs up', () =>
    inWorld({ seed: 7 }, async (world) => {
      const it = await bench(world);
      const lac = await connected(it);
      lac.hangUp();
      await world.run(2_000);
      expect(it.ppp.at(-1)?.type).toBe('link.stop');
      expect(it.ike.at(-1)).toEqual({ type: 'tunnel.closed', reason: 'peer-closed' });
      await world.run(31_000);
      expect(await ask(it, { type: 'close', reason: 'operator' })).toEqual({
        taken: false,
        reason: 'no-session',
      });
    }));

  test('the last SA goes: PPP is told, the client is not', () =>
    inWorld({ seed: 8 }, async (world) => {
      const it = await bench(world);
      await connected(it);
      types(it);
      await ask(it, { type: 'session.ended', reason: 'session-ended' });
      await world.run(1_000);
      expect([types(it), it.ppp.at(-1)?.type]).toEqual([[], 'link.stop']);
      expect(await entries(it)).toEqual([]);
    }));

  test('a client that vanishes is gone when the edge sees nothing for a Hello and its repetitions', () =>
    inWorld({ seed: 9 }, async (world) => {
      const it = await bench(world);
      const lac = await connected(it);
      await world.run(180_000);
      expect(it.ike.filter(({ type }) => type === 'tunnel.closed')).toEqual([]);
      lac.vanish();
      it.lacs.clear();
      it.activity = { idleMs: 3_600_000 };
      await world.run(100_000);
      expect(it.ike.at(-1)).toEqual({ type: 'tunnel.closed', reason: 'peer-silent' });
      expect(it.ppp.at(-1)?.type).toBe('link.stop');
    }));
});

describe('a crash', () => {
  const restarted = async (world: World): Promise<Bench> => {
    const it = await bench(world);
    await connected(it);
    it.service.crash();
    it.service = simRuntime('l2tp', world, parseConfig(CONFIG, '/'));
    await world.promised(createL2tpService(it.service).start());
    await world.run(1_000);
    return it;
  };

  test('an established call goes on: we can end it', () =>
    inWorld({ seed: 10 }, async (world) => {
      const it = await restarted(world);
      const [entry] = await entries(it);
      await ask(it, { type: 'call.disconnect', call: entry?.ours.call ?? 0, reason: 'operator', advice: '' });
      await world.run(3_000);
      expect(it.lacs.get(SESSION)?.heard.filter((type) => type === 'CDN')).toHaveLength(1);
      expect(await entries(it)).toEqual([]);
      // The emptied tunnel follows.
      await world.run(61_000);
      expect(it.ike.at(-1)).toEqual({ type: 'tunnel.closed', reason: 'peer-closed' });
    }));

  test('and so can the client', () =>
    inWorld({ seed: 11 }, async (world) => {
      const it = await restarted(world);
      it.lacs.get(SESSION)?.hangUp();
      await world.run(3_000);
      expect(it.ike.at(-1)).toEqual({ type: 'tunnel.closed', reason: 'peer-closed' });
      expect(it.ppp.map(({ type }) => type)).toEqual(['link.start', 'link.stop']);
    }));
});

describe('the tunnel secret', () => {
  const config = `${CONFIG}l2tp: { tunnelSecret: 'a-tunnel-secret-of-some-length', hideAvps: true }\n`;

  test('a client without it is told that it is not authorised, and nothing printed holds it', () =>
    inWorld({ seed: 11 }, async (world) => {
      const it = await bench(world, config);
      const lac = client(it);
      lac.connect();
      await world.run(2_000);
      // The SCCRP comes with hidden AVPs that this client cannot read.
      expect(lac.state).not.toBe('up');
      expect(it.ike).toEqual([]);
      expect(JSON.stringify(it.service.telemetry.lines)).not.toContain('a-tunnel-secret');
    }));
});

describe('hostile', () => {
  test('what founds nothing leaves nothing', () =>
    inWorld({ seed: 12 }, async (world) => {
      const it = await bench(world);
      const say = (message?: OutgoingMessage, tunnelId = 0) =>
        arrive(it, emitControlMessage({ tunnelId, sessionId: 0, ns: 0, nr: 0 }, message));
      say();
      say({ type: 'HELLO', values: {} }, 7);
      say({ type: 'StopCCN', values: { assignedTunnelId: 7, resultCode: { result: 1 } } });
      say({ type: 'SCCRQ', values: { hostName: 'x' } });
      for (let length = 0; length < 40; length += 1) arrive(it, world.chance.octets(length));
      await world.run(1_000);
      expect(it.sent).toEqual([]);
      expect([...it.service.telemetry.lines].filter(({ level }) => level === 'error')).toEqual([]);
      expect(world.broker.faults).toEqual([]);
    }));

  test('an SCCRQ with an unknown mandatory AVP is answered with StopCCN', () =>
    inWorld({ seed: 13 }, async (world) => {
      const it = await bench(world);
      const good = emitControlMessage(
        { tunnelId: 0, sessionId: 0, ns: 0, nr: 0 },
        {
          type: 'SCCRQ',
          values: {
            protocolVersion: { version: 1, revision: 0 },
            hostName: 'x',
            framingCapabilities: 3,
            assignedTunnelId: 9,
          },
        },
      );
      const octets = new Uint8Array(good.length + 6);
      octets.set(good);
      octets.set([0x80, 6, 0, 0, 0x7f, 0xff], good.length);
      octets.set([octets.length >> 8, octets.length & 0xff], 2);
      arrive(it, octets);
      await world.run(100);
      const [answer] = it.sent;
      const message = parseControlMessage(answer?.octets ?? new Uint8Array());
      expect(message.ok && message.value.body?.values.resultCode).toMatchObject({ result: 2, error: 8 });
      expect(message.ok && message.value.header.tunnelId).toBe(9);
    }));
});
