import { expect, test } from 'vitest';
import {
  CLIENT4,
  callEntry,
  linkEntry,
  packet4,
  policyFor,
  SERVER4,
  SESSION,
  saEntry,
  testBench,
  testClient,
} from './session-fixture.ts';

const at = 2000;
const upstream = packet4(CLIENT4, SERVER4);

function taken() {
  const bench = testBench();
  const client = testClient();
  const first = client.user(upstream);
  bench.engine.outer(client.from(first), at);
  bench.engine.inner(packet4(SERVER4, CLIENT4), at);
  expect(bench.got.inner).toHaveLength(1);
  return { ...bench, client, first };
}

test('an SA that goes and comes again takes no packet twice', () => {
  const { engine, got, declare, drops, client, first } = taken();
  engine.declare({ session: SESSION, bucket: 'ike', entries: [] }, at);
  declare([saEntry(), callEntry(), linkEntry()]);
  engine.outer(client.from(first), at);
  expect(got.inner).toHaveLength(1);
  expect(drops()).toEqual({ 'esp-replayed': 1 });
  // Later ones pass, out of order too.
  const [second, third] = [client.user(upstream), client.user(upstream)];
  engine.outer(client.from(third), at);
  engine.outer(client.from(second), at);
  expect(got.inner).toHaveLength(3);
});

test('nor does it number a packet twice, even if the reservation was lost with it', () => {
  const { engine, got, declare, grantAll, client } = taken();
  engine.declare({ session: SESSION, bucket: 'ike', entries: [] }, at);
  declare([saEntry(), callEntry(), linkEntry()]);
  expect(got.events).toHaveLength(1);
  grantAll();
  engine.inner(packet4(SERVER4, CLIENT4), at);
  const numbers = got.outer.map(({ octets }) => client.opened(octets).sequence);
  expect(numbers).toEqual([1, 2]);
});

test('another SA with the same inbound SPI starts afresh', () => {
  const { engine, got, declare, first, client } = taken();
  engine.declare({ session: SESSION, bucket: 'ike', entries: [] }, at);
  declare([saEntry({ outboundSpi: 0x7777_0000 }), callEntry(), linkEntry()]);
  engine.outer(client.from(first), at);
  expect(got.inner).toHaveLength(2);
});

test('marks of an earlier start count', () => {
  const { inboundSpi, outboundSpi } = saEntry();
  const past = new Map([[inboundSpi, { outboundSpi, top: 1, next: 0 }]]);
  const { engine, got, drops } = testBench(undefined, policyFor(), past);
  const client = testClient();
  engine.outer(client.from(client.user(upstream)), at);
  expect(drops()).toEqual({ 'esp-replayed': 1 });
  engine.outer(client.from(client.user(upstream)), at);
  expect(got.inner).toHaveLength(1);
});

test('a report says how far each SA has come', () => {
  const { engine } = taken();
  const { inboundSpi, outboundSpi } = saEntry();
  expect(engine.report(SESSION, at)?.windows).toEqual([{ inboundSpi, outboundSpi, top: 1 }]);
});
