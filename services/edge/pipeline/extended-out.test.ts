import { u32 } from '@culvert/wire';
import { expect, test } from 'vitest';
import { createIvSource, newWindow, openEsp, prepareEsp, SUBSPACE, sealEsp } from '../esp/index.ts';
import { EXTENDED_SEQUENCE_END, type Mark } from './index.ts';
import {
  CLIENT4,
  packet4,
  policyFor,
  SERVER4,
  SESSION,
  saEntry,
  testBench,
  testClient,
  tunnelEntry,
  tunnelLink,
} from './session-fixture.ts';

/** Extended sequence numbers through the engine: INV-3 and INV-4 beyond 2^32. */
const at = 2000;
const sa = tunnelEntry({ esn: true });
const { inboundSpi, outboundSpi } = sa;

function started(past?: ReadonlyMap<number, Mark>) {
  const bench = testBench([], policyFor(), past);
  bench.declare([sa, tunnelLink()]);
  const send = (count = 1) => {
    for (let left = count; left > 0; left -= 1) bench.engine.inner(packet4(SERVER4, CLIENT4), at);
  };
  const grant = (first: number, end: number) => bench.engine.grant({ inboundSpi, first, end }, at);
  const lowHalves = () => bench.got.outer.map(({ octets }) => u32(octets, 4));
  const wanted = () => bench.got.events.filter(({ type }) => type === 'sequence-wanted').length;
  return { ...bench, send, grant, lowHalves, wanted };
}

test('numbers go on over 2^32, and the client opens them', () => {
  const { send, grant, got, drops } = started();
  grant(SUBSPACE - 2, SUBSPACE + 2);
  send(4);
  const transform = prepareEsp(sa.encryption, sa.integrity, sa.outbound, true);
  let window = newWindow(64, SUBSPACE - 3);
  const numbers = got.outer.map(({ octets }) => {
    const opened = openEsp(transform, window, octets);
    window = opened.window;
    return opened.ok && opened.sequence;
  });
  expect(numbers).toEqual([-2, -1, 0, 1].map((step) => SUBSPACE + step));
  expect(drops()).toEqual({});
});

test('2^32 numbers after the first one the IVs of this start are used up', () => {
  const { send, grant, lowHalves, drops } = started();
  grant(10, 12);
  send();
  grant(SUBSPACE + 8, SUBSPACE + 12);
  send(4);
  expect(lowHalves()).toEqual([10, 11, 8, 9]);
  expect(drops()).toEqual({ 'sequence-exhausted': 1 });
});

test('and an SA that goes and comes again has not forgotten which the first was', () => {
  const { send, grant, lowHalves, drops, engine, declare } = started();
  grant(10, 12);
  send();
  engine.declare({ session: SESSION, bucket: 'ike', entries: [] }, at);
  declare([sa]);
  grant(SUBSPACE + 9, SUBSPACE + 12);
  send(2);
  expect(lowHalves()).toEqual([10, 9]);
  expect(drops()).toEqual({ 'sequence-exhausted': 1 });
});

test('another start of the engine has IVs of its own', () => {
  const { send, grant, lowHalves } = started(new Map([[inboundSpi, { outboundSpi, top: 0, next: 12 }]]));
  grant(SUBSPACE + 10, SUBSPACE + 12);
  send();
  expect(lowHalves()).toEqual([10]);
});

test('the last number is the last that counts, without extension 2^32 - 1', () => {
  const extended = started();
  extended.grant(EXTENDED_SEQUENCE_END - 1, EXTENDED_SEQUENCE_END + 1);
  extended.send(2);
  expect(extended.lowHalves()).toHaveLength(1);
  expect(extended.drops()).toEqual({ 'sequence-exhausted': 1 });
  expect(extended.wanted()).toBe(1);
});

test('what comes in is one number of the window and no other, over 2^32 and after a restart', () => {
  const client = testClient(sa);
  const transform = prepareEsp(sa.encryption, sa.integrity, sa.inbound, true);
  const ivs = createIvSource({ nodeId: 2, generation: 1, cbcKey: new Uint8Array(32) });
  const sealed = (sequence: number) => {
    const payload = packet4(CLIENT4, SERVER4);
    return client.from(sealEsp(transform, { spi: inboundSpi, sequence, nextHeader: 4, payload }, ivs));
  };
  const top = 3 * SUBSPACE - 2;
  const { engine, got, drops } = started(new Map([[inboundSpi, { outboundSpi, top, next: 0 }]]));
  const packets = [1, 3, 2].map((step) => sealed(top + step));
  for (const packet of [...packets, ...packets, sealed(top), sealed(top - SUBSPACE + 4)])
    engine.outer(packet, at);
  expect(got.inner).toHaveLength(3);
  expect(drops()).toEqual({ 'esp-replayed': 4, 'esp-icv': 1 });
  expect(engine.report(SESSION, at)?.windows).toEqual([{ inboundSpi, outboundSpi, top: top + 3 }]);
});

test('an SA does not change its mode while its keys and numbers go on', () => {
  const { engine, got, declare, send, grant, lowHalves, drops } = started();
  const client = testClient(sa);
  const refused = () => got.events.filter(({ type }) => type === 'entry-refused').length;
  engine.outer(client.from(client.tunneled(packet4(CLIENT4, SERVER4))), at);
  grant(1, 9);
  send();
  declare([tunnelEntry()]);
  declare([saEntry({ esn: true })]);
  expect(refused()).toBe(2);
  engine.outer(client.from(client.tunneled(packet4(CLIENT4, SERVER4))), at);
  send();
  expect(got.inner).toHaveLength(2);
  expect(lowHalves()).toEqual([1, 2]);
  expect(drops()).toEqual({});
});

test.each([
  [
    'the same block again',
    [
      [1, 2],
      [2, 5],
      [2, 5],
    ],
    6,
    [1, 2, 3, 4],
  ],
  [
    'a block that begins in the one before',
    [
      [1, 4],
      [2, 6],
    ],
    9,
    [1, 2, 3, 4, 5],
  ],
  [
    'a block that ends before it begins',
    [
      [1, 3],
      [3, 5],
      [5, 4],
      [5, 6],
    ],
    9,
    [1, 2, 3, 4, 5],
  ],
  [
    'a third block behind a gap',
    [
      [1, 3],
      [3, 5],
      [9, 12],
    ],
    9,
    [1, 2, 3, 4],
  ],
] as const)('%s gives every number once', (_name, grants, packets, expected) => {
  const { send, grant, lowHalves } = started();
  for (const [first, end] of grants) {
    grant(first, end);
    if (first === 1) send();
  }
  send(packets);
  expect(lowHalves()).toEqual(expected);
});
