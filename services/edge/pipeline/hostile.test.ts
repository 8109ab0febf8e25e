import { hex } from '@culvert/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CLIENT4,
  callEntry,
  linkEntry,
  PREFIX6,
  packet4,
  packet6,
  SERVER4,
  SERVER6,
  saEntry,
  testBench,
  testClient,
  tunnelEntry,
  tunnelLink,
} from './session-fixture.ts';

/** Whatever arrives, from strangers or from clients that hold keys: no throw, and every packet accounted for. */
const at = 2000;
const total = (record: Readonly<Record<string, number>>) =>
  Object.values(record).reduce((sum, one) => sum + one, 0);

describe('strangers', () => {
  test('any octets on any port', () => {
    const bench = testBench();
    const client = testClient();
    const via = fc.constantFrom('ike' as const, 'nat-traversal' as const, 'esp' as const);
    let sent = 0;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), via, (octets, port) => {
        sent += 1;
        bench.engine.outer({ ...client.from(octets), via: port }, at);
        const { keepalives } = bench.engine.counters();
        expect(total(bench.drops()) + bench.got.ike.length + keepalives).toBe(sent);
        expect([...bench.got.inner, ...bench.got.outer, ...bench.got.l2tp, ...bench.got.ppp]).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  const suites = ['aes-cbc-128', 'aes-cbc-256', '3des-cbc', 'aes-gcm-16-128', 'aes-gcm-16-256'] as const;
  test.each(suites)('ESP of every length from 0 to 64 for a live SPI, %s', (encryption) => {
    const sa = saEntry({ encryption });
    const bench = testBench([sa, callEntry(), linkEntry()]);
    const client = testClient(sa);
    for (let length = 0; length <= 64; length += 1) {
      const octets = new Uint8Array(length).fill(0x41);
      octets.set(hex('01400100').subarray(0, length));
      bench.engine.outer(client.from(octets), at);
    }
    expect(total(bench.drops())).toBe(65);
    expect([...bench.got.inner, ...bench.got.l2tp, ...bench.got.ppp]).toEqual([]);
  });
});

describe('clients with keys', () => {
  test('anything inside ESP ends in exactly one place', () => {
    const bench = testBench();
    const client = testClient();
    const header = fc.constantFrom(
      '',
      '0002000b000c',
      '4002001a000b000c',
      'c8020014000b000000000000',
      '0a02000b000c0000000000ff',
    );
    const frame = fc.constantFrom('', 'ff030021', '21', 'ff030057', 'c021', 'ff03');
    const inner = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.constant(packet4(CLIENT4, SERVER4)),
      fc.constant(packet6(`${PREFIX6}1`, SERVER6)),
    );
    const ports = fc.constantFrom(1701, 1701, 1701, 53);
    let sent = 0;
    fc.assert(
      fc.property(
        header,
        frame,
        inner,
        ports,
        fc.constantFrom(17, 17, 17, 6, 59),
        (head, ppp, data, port, next) => {
          sent += 1;
          const l2tp = Uint8Array.of(...hex(head), ...hex(ppp), ...data);
          const datagram = client.datagram(l2tp, { sourcePort: 1701, destinationPort: port });
          // Time passes, so that rates do not swallow everything.
          bench.engine.outer(client.from(client.sealed(datagram, next)), at + sent * 100);
          const { got } = bench;
          const ended =
            total(bench.drops()) + got.inner.length + got.l2tp.length + got.ppp.length + got.outer.length;
          expect(ended).toBe(sent);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('anything in a tunnel-mode SA ends in exactly one place', () => {
    const sa = tunnelEntry();
    const bench = testBench([sa, tunnelLink(), saEntry({ inboundSpi: 0x0140_0300 }), callEntry()]);
    const client = testClient(sa);
    const inner = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.constant(packet4(CLIENT4, SERVER4)),
      fc.constant(packet6(`${PREFIX6}1`, SERVER6)),
      fc.constant(packet4(CLIENT4, '10.99.0.1', hex('0800f7fd00010001'), { protocol: 1 })),
    );
    let sent = 0;
    fc.assert(
      fc.property(inner, fc.constantFrom(4, 4, 41, 41, 17, 59, 0), fc.nat(255), (data, next, tos) => {
        sent += 1;
        bench.engine.outer(client.from(client.sealed(data, next), undefined, tos), at + sent * 100);
        const { got } = bench;
        expect(total(bench.drops()) + got.inner.length + got.outer.length).toBe(sent);
        expect([...got.l2tp, ...got.ppp]).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('a mutated user packet never leaves with another source, nor for a refused destination', () => {
    const mutation = fc.array(fc.tuple(fc.nat(59), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.boolean(), mutation, (six, changes) => {
        const bench = testBench();
        const client = testClient();
        const packet = six
          ? packet6(`${PREFIX6}1`, SERVER6, new Uint8Array(20))
          : packet4(CLIENT4, SERVER4, new Uint8Array(40));
        for (const [offset, value] of changes) packet[offset] = value;
        bench.engine.outer(client.from(client.user(packet)), at);
        for (const leaving of bench.got.inner) {
          const v6 = (leaving[0] ?? 0) >>> 4 === 6;
          const source = v6 ? leaving.subarray(8, 16) : leaving.subarray(12, 16);
          expect([...source]).toEqual(v6 ? [0x20, 1, 0x0d, 0xb8, 0, 0x99, 0, 7] : [10, 99, 0, 7]);
          const first = (v6 ? leaving[24] : leaving[16]) ?? 0;
          expect(v6 ? [0xff] : [0xff, 127, 0]).not.toContain(first);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test('anything from the tun is sent to its client or counted', () => {
  const bench = testBench();
  let routed = 0;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (octets, aimed) => {
      if (aimed && octets.length >= 20) {
        octets[0] = 0x45;
        octets.set([10, 99, 0, 7], 16);
      }
      if (bench.engine.inner(octets, at)) routed += 1;
      expect(total(bench.drops()) + bench.got.outer.length).toBe(routed);
    }),
    { numRuns: 500 },
  );
});

test('anything over the bus is carried out or counted', () => {
  const bench = testBench();
  fc.assert(
    fc.property(
      fc.string({ maxLength: 20 }),
      fc.nat(70_000),
      fc.uint8Array({ maxLength: 40 }),
      (session, call, octets) => {
        bench.engine.ppp({ session, call, octets }, at);
        bench.engine.l2tp({ session, innerPorts: { local: 1701, remote: call & 0xffff }, octets }, at);
      },
    ),
  );
  expect(bench.got.outer).toEqual([]);
});
