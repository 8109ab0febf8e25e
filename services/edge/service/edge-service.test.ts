import { type Bus, decode, encode } from '@culvert/bus';
import { parseConfig } from '@culvert/config';
import {
  type ActivityAnswer,
  buckets,
  type ForwardEntry,
  type IkeDatagram,
  type IkePacket,
  type L2tpPacket,
  recordKey,
  shardOfHex,
  subjects,
} from '@culvert/contracts';
import type { Sealer } from '@culvert/host';
import { hex, toHex } from '@culvert/wire';
import { describe, expect, test } from 'vitest';
import { encodeRecord, sealForward, sealState } from '../../../shared/host/record.ts';
import { inWorld, type SimRuntime, simRuntime, type World } from '../../../test/sim/index.ts';
import { createIvSource } from '../esp/index.ts';
import {
  CLIENT4,
  callEntry,
  linkEntry,
  packet4,
  SERVER4,
  SESSION,
  saEntry,
  testClient,
} from '../pipeline/session-fixture.ts';
import { createEdge } from './edge-service.ts';
import { createEnginePlane } from './engine-plane.ts';
import { policyOf } from './policy.ts';
import { sequenceKey } from './sequences.ts';

const CONFIG = `
node: gw1
stateDir: /nonexistent/culvert
listen: [{ name: main, addresses: ["198.51.100.1"] }]
psks: [{ name: office, secret: "J3v9-wQx7_2mNbR5tYp8LkHs4Df6GcVz1AqWeUiOn" }]
pool: { ipv4: 10.99.0.0/16 }
`;
const KEY = recordKey(shardOfHex(SESSION), SESSION);
const EXPIRES = 4e12;

async function edgeIn(world: World) {
  const config = parseConfig(CONFIG, '/nonexistent');
  const runtime = simRuntime('edge', world, config);
  const other = simRuntime('ike', world, config);
  const sent: Uint8Array[] = [];
  const inner: Uint8Array[] = [];
  const plane = createEnginePlane(
    { policy: policyOf(config, ['127.0.0.1']), replayWindow: 1024 },
    {
      clock: runtime.clock,
      ivs: createIvSource({ nodeId: 1, generation: 1, cbcKey: new Uint8Array(32) }),
      wires: {
        datagram: (_, octets) => sent.push(octets),
        esp: () => {},
        inner: (packet) => inner.push(packet),
      },
    },
  );
  await world.promised(createEdge(runtime, plane).start());
  return { runtime, other, plane, sent, inner };
}

async function write(
  world: World,
  by: SimRuntime,
  name: string,
  entries: readonly ForwardEntry[] | undefined,
): Promise<number> {
  const bucket = await world.promised(by.bus.bucket(name));
  const present = await world.promised(bucket.get(KEY));
  const value = recordOf(by.sealer, name, entries);
  const revision =
    present?.value === undefined ? bucket.create(KEY, value) : bucket.update(KEY, value, present.revision);
  return world.promised(revision);
}

function recordOf(sealer: Sealer, bucket: string, entries: readonly ForwardEntry[] | undefined): Uint8Array {
  const at = { bucket, key: KEY, epoch: 1 };
  const forward = entries && sealForward(sealer, at, { entries }, undefined);
  return encodeRecord(at.epoch, sealState(sealer, at, {} as never), forward);
}

async function established(world: World, by: SimRuntime): Promise<void> {
  await write(world, by, buckets.ike, [saEntry({ expiresAt: EXPIRES })]);
  await write(world, by, buckets.l2tp, [callEntry()]);
  await write(world, by, buckets.ppp, [linkEntry()]);
  await world.run(100);
}

const client = () => testClient(saEntry({ expiresAt: EXPIRES }));
const heardOn = <T>(bus: Bus, subject: string) => {
  const heard: { readonly payload: T; readonly trace?: string }[] = [];
  bus.subscribe<T>(subject, (message) => heard.push(message));
  return heard;
};

describe('the edge on the bus', () => {
  test('entries of three records make a session forward both ways', () =>
    inWorld({}, async (world) => {
      const { other, plane, sent, inner } = await edgeIn(world);
      await established(world, other);
      const peer = client();
      plane.outer(peer.from(peer.user(packet4(CLIENT4, SERVER4))));
      plane.inner(packet4(SERVER4, CLIENT4));
      expect(inner.length).toBe(1);
      expect(toHex(peer.frameOf(sent[0] ?? hex('')).information)).toBe(toHex(packet4(SERVER4, CLIENT4)));
    }));

  test('first IKE messages get one trace per handshake and one shard per cookie', () =>
    inWorld({}, async (world) => {
      const { other, plane } = await edgeIn(world);
      const heard = heardOn<IkePacket>(other.bus, subjects.ike.packet('*'));
      const message = (initiator: number, responder: string) =>
        Uint8Array.of(...new Uint8Array(8).fill(initiator), ...hex(responder), ...new Uint8Array(12));
      const peer = client();
      const send = (octets: Uint8Array) => plane.outer({ ...peer.from(octets), via: 'ike' });
      const none = '0000000000000000';
      for (const octets of [
        message(1, none),
        message(1, none),
        message(1, 'ffc0000000000001'),
        message(2, none),
      ])
        send(octets);
      await world.run(10);
      const [first, again, third, another] = heard;
      expect(first?.trace).toMatch(/^00-/);
      expect([again?.trace, third?.trace]).toEqual([first?.trace, first?.trace]);
      expect(another?.trace).not.toBe(first?.trace);
      expect(first?.payload).toMatchObject({ node: 'gw1', listener: 'main', nonEspMarker: false });
    }));

  test('L2TP control carries the session’s trace', () =>
    inWorld({}, async (world) => {
      const { other, plane } = await edgeIn(world);
      await established(world, other);
      const heard = heardOn<L2tpPacket>(other.bus, subjects.l2tp.packet(shardOfHex(SESSION)));
      const peer = client();
      plane.outer(peer.from(peer.sealed(peer.datagram(hex('c802000c000b000000030002')))));
      await world.run(10);
      expect(heard).toMatchObject([
        { trace: saEntry().trace, payload: { session: SESSION, octets: hex('c802000c000b000000030002') } },
      ]);
    }));

  test('a reply waits for its entry, at most two seconds', () =>
    inWorld({}, async (world) => {
      const { runtime, other, sent } = await edgeIn(world);
      const revision = await write(world, other, buckets.ike, undefined);
      const datagram = (after: number): IkeDatagram => ({
        flow: saEntry().flow,
        nonEspMarker: true,
        octets: Uint8Array.of(after),
        after: { bucket: buckets.ike, key: KEY, revision: after },
      });
      const at = (after: number) => other.bus.publish(subjects.edge.ike('gw1'), datagram(after));
      await world.run(50);
      at(revision);
      at(revision + 1);
      await world.run(100);
      expect(sent.map(toHex)).toEqual([`00000000${toHex(Uint8Array.of(revision))}`]);
      await write(world, other, buckets.ike, [saEntry({ expiresAt: EXPIRES })]);
      await world.run(50);
      expect(sent.length).toBe(2);
      at(revision + 100);
      await world.run(3_000);
      expect(sent.length).toBe(2);
      expect(runtime.telemetry.counters()).toMatchObject({ 'edge.gate{end=timeout}': 1 });
    }));

  test('sequence numbers start above the reservation after a restart, and go with the SA', () =>
    inWorld({}, async (world) => {
      const first = await edgeIn(world);
      await established(world, first.other);
      const bucket = await world.promised(first.runtime.bus.bucket(buckets.sequences));
      const reserved = async () => (await world.promised(bucket.get(sequenceKey(saEntry()))))?.value;
      expect(decode((await reserved()) ?? encode(null))).toEqual({ end: 2 ** 24 + 1 });
      await world.promised(first.runtime.stop());
      const second = await edgeIn(world);
      await world.run(1_000);
      second.plane.inner(packet4(SERVER4, CLIENT4));
      expect(client().opened(second.sent[0] ?? hex('')).sequence).toBe(2 ** 24 + 1);
      await write(world, second.other, buckets.ike, undefined);
      await world.run(1_000);
      const seen = await world.promised(second.runtime.bus.bucket(buckets.sequences));
      expect((await world.promised(seen.get(sequenceKey(saEntry()))))?.value).toBeUndefined();
    }));

  test('reservations of SAs that ended while the edge was away are swept', () =>
    inWorld({}, async (world) => {
      const other = simRuntime('ike', world, parseConfig(CONFIG, '/nonexistent'));
      const bucket = await world.promised(other.bus.bucket(buckets.sequences));
      await world.promised(bucket.create('5.0140000000000009.77', encode({ end: 99 })));
      await edgeIn(world);
      await world.run(1_000);
      expect((await world.promised(bucket.get('5.0140000000000009.77')))?.value).toBeUndefined();
    }));

  test('without NATS established sessions keep forwarding', () =>
    inWorld({}, async (world) => {
      const { runtime, other, plane, sent, inner } = await edgeIn(world);
      await established(world, other);
      runtime.bus.cut();
      await world.run(60_000);
      const peer = client();
      plane.outer(peer.from(peer.user(packet4(CLIENT4, SERVER4))));
      plane.inner(packet4(SERVER4, CLIENT4));
      expect([inner.length, sent.length]).toEqual([1, 1]);
    }));

  test('how long a session has been idle', () =>
    inWorld({}, async (world) => {
      const { other, plane } = await edgeIn(world);
      const ask = (session: string) =>
        world.promised(
          other.bus.request<ActivityAnswer>(
            subjects.edge.activity(shardOfHex(session)),
            { session },
            { timeoutMs: 1_000 },
          ),
        );
      expect(await ask(SESSION)).toEqual({});
      await established(world, other);
      await world.run(10_000);
      const peer = client();
      plane.outer(peer.from(peer.user(packet4(CLIENT4, SERVER4))));
      await world.run(5_000);
      const { idleMs } = await ask(SESSION);
      expect(idleMs).toBeGreaterThanOrEqual(5_000);
      expect(idleMs).toBeLessThan(7_000);
    }));

  test('a record that another key sealed forwards nothing and is counted', () =>
    inWorld({}, async (world) => {
      const { runtime, other, plane, inner } = await edgeIn(world);
      await established(world, other);
      const bucket = await world.promised(other.bus.bucket(buckets.ike));
      const present = await world.promised(bucket.get(KEY));
      const forged = recordOf(other.sealer, buckets.l2tp, [saEntry({ expiresAt: EXPIRES })]);
      await world.promised(bucket.update(KEY, forged, present?.revision ?? 0));
      await world.run(100);
      const peer = client();
      plane.outer(peer.from(peer.user(packet4(CLIENT4, SERVER4))));
      expect(inner).toEqual([]);
      expect(runtime.telemetry.counters()).toMatchObject({
        [`edge.record_unreadable{bucket=${buckets.ike}}`]: 1,
      });
    }));

  test('nonsense from the bus is refused, not thrown', () =>
    inWorld({}, async (world) => {
      const { runtime, other, sent } = await edgeIn(world);
      other.bus.publish(subjects.edge.ike('gw1'), {
        flow: { local: {}, remote: {} },
        nonEspMarker: false,
        octets: hex('00'),
      });
      other.bus.publish(subjects.edge.ike('gw1'), { octets: 'text' });
      other.bus.publish(subjects.edge.l2tp(1), { session: SESSION });
      other.bus.publish(subjects.edge.ppp(1), null);
      await world.run(100);
      expect(sent).toEqual([]);
      expect(runtime.telemetry.counters()['edge.refused_commands{command=l2tp}']).toBe(1);
    }));
});
