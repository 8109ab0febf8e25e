import { hex, toHex, viewOf } from '@culvert/wire';
import {
  checksumOf,
  parseIpv4,
  parseIpv6,
  pseudoHeaderSum,
  sumHolds,
  sumOf,
  udpChecksumHolds,
} from '@culvert/wire/ip';
import { emitControlHeader } from '@culvert/wire/l2tp';
import { protocols } from '@culvert/wire/ppp';
import { describe, expect, test } from 'vitest';
import { prepareEsp, sealedLength } from '../esp/index.ts';
import {
  CLIENT4,
  callEntry,
  linkEntry,
  OTHER,
  octetsOf,
  PREFIX6,
  packet4,
  packet6,
  policyFor,
  SERVER4,
  SERVER6,
  SESSION,
  saEntry,
  testBench,
  testClient,
} from './session-fixture.ts';

const at = 2000;
const control = () => {
  const octets = new Uint8Array(12);
  emitControlHeader({ tunnelId: 11, sessionId: 0, ns: 3, nr: 2 }, 12, octets);
  return octets;
};

describe('from the client to the tun', () => {
  const suites = [
    'aes-cbc-128',
    'aes-cbc-192',
    'aes-cbc-256',
    '3des-cbc',
    'aes-gcm-16-128',
    'aes-gcm-16-256',
  ] as const;
  test.each(suites)('user packets of both families cross with %s', (encryption) => {
    const sa = saEntry({ encryption });
    const { engine, got, drops } = testBench([sa, callEntry(), linkEntry()]);
    const client = testClient(sa);
    const four = packet4(CLIENT4, SERVER4, hex('00350035000c0000aabbccdd'));
    const six = packet6(`${PREFIX6}1`, SERVER6);
    engine.outer(client.from(client.user(four)), at);
    engine.outer(client.from(client.user(six)), at);
    expect(got.inner.map(toHex)).toEqual([toHex(four), toHex(six)]);
    expect(drops()).toEqual({});
    expect(engine.report(SESSION, at)).toMatchObject({ packetsIn: 2, lastInboundAt: at, sas: 1, links: 1 });
  });

  test('IKE and keepalives on their ports', () => {
    const { engine, got, drops } = testBench();
    const client = testClient();
    const message = new Uint8Array(28).fill(7);
    engine.outer({ ...client.from(message), via: 'ike' }, at);
    engine.outer(client.from(Uint8Array.of(0, 0, 0, 0, ...message)), at);
    engine.outer(client.from(Uint8Array.of(0xff)), at);
    engine.outer(client.from(Uint8Array.of(0, 0, 0, 0, 1)), at);
    expect(
      got.ike.map(({ nonEspMarker, octets, listener }) => [nonEspMarker, octets.length, listener]),
    ).toEqual([
      [false, 28, 'main'],
      [true, 28, 'main'],
    ]);
    expect(got.ike[0]?.flow.remote).toEqual({ address: '203.0.113.5', port: 61_000 });
    expect(engine.counters().keepalives).toBe(1);
    expect(drops()).toEqual({ 'outer-malformed': 1 });
  });

  test('a flood of first IKE messages is cut, others of the same source pass', () => {
    const { engine, got, drops } = testBench();
    const client = testClient();
    for (let count = 0; count < 600; count += 1) {
      engine.outer({ ...client.from(new Uint8Array(28)), via: 'ike' }, at);
    }
    expect(got.ike.length).toBe(500);
    expect(drops()).toEqual({ 'ike-rate': 100 });
    engine.outer({ ...client.from(new Uint8Array(28).fill(1)), via: 'ike' }, at);
    expect(got.ike.length).toBe(501);
  });

  test('L2TP control goes to its service with the SA it came by', () => {
    const { engine, got } = testBench();
    const client = testClient();
    engine.outer(
      client.from(client.sealed(client.datagram(control(), { sourcePort: 4321, destinationPort: 1701 }))),
      at,
    );
    expect(got.l2tp).toEqual([
      {
        session: SESSION,
        spi: 0x0140_0100,
        flow: saEntry().flow,
        innerPorts: { local: 1701, remote: 4321 },
        octets: control(),
      },
    ]);
  });

  test('PPP control frames go to theirs with a two-octet protocol, whatever the compression', () => {
    const { engine, got } = testBench([saEntry(), callEntry()]);
    const client = testClient();
    engine.outer(
      client.from(client.sealed(client.datagram(client.data(protocols.lcp, hex('01010004'))))),
      at,
    );
    expect(got.ppp).toEqual([{ session: SESSION, call: 12, octets: hex('c02101010004') }]);
  });

  test('user data before the link is open, and of a family that is not', () => {
    const { engine, got, drops, declare } = testBench([saEntry(), callEntry()]);
    const client = testClient();
    engine.outer(client.from(client.user(packet4(CLIENT4, SERVER4))), at);
    const { ipv6: _, ...onlyFour } = linkEntry();
    declare([onlyFour]);
    engine.outer(client.from(client.user(packet6(`${PREFIX6}1`, SERVER6))), at);
    expect(got.inner).toEqual([]);
    expect(drops()).toEqual({ 'ppp-no-link': 2 });
  });

  const refusals: readonly (readonly [
    string,
    (client: ReturnType<typeof testClient>) => Uint8Array,
    string,
  ])[] = [
    [
      'another port than 1701',
      (c) => c.sealed(c.datagram(control(), { sourcePort: 1701, destinationPort: 1702 })),
      'selector',
    ],
    [
      'DNS in the SA',
      (c) => c.sealed(c.datagram(control(), { sourcePort: 1701, destinationPort: 53 })),
      'selector',
    ],
    ['TCP in the SA', (c) => c.sealed(new Uint8Array(20), 6), 'esp-next-header'],
    ['IP in the SA (tunnel mode)', (c) => c.sealed(packet4(CLIENT4, SERVER4), 4), 'esp-next-header'],
    ['an IPv6 fragment in the SA', (c) => c.sealed(new Uint8Array(20), 44), 'esp-next-header'],
    ['a dummy packet', (c) => c.sealed(new Uint8Array(20), 59), 'esp-dummy'],
    ['a UDP length lie', (c) => c.sealed(hex('06a506a500ff0000')), 'udp-malformed'],
    ['no UDP at all', (c) => c.sealed(new Uint8Array(0)), 'udp-malformed'],
    ['L2F', (c) => c.sealed(c.datagram(hex('0001000000000000'))), 'l2tp-malformed'],
    ['nothing in UDP', (c) => c.sealed(c.datagram(new Uint8Array(0))), 'l2tp-malformed'],
    ['an L2TP length lie', (c) => c.sealed(c.datagram(hex('400200ff000b000cff03'))), 'l2tp-malformed'],
    [
      'an unknown call',
      (c) => c.sealed(c.datagram(c.data(0x21, packet4(CLIENT4, SERVER4), { call: 13 }))),
      'l2tp-unknown-call',
    ],
    [
      'an unknown tunnel',
      (c) => c.sealed(c.datagram(c.data(0x21, packet4(CLIENT4, SERVER4), { tunnel: 1 }))),
      'l2tp-unknown-call',
    ],
    ['an empty PPP frame', (c) => c.sealed(c.datagram(hex('0002000b000c'))), 'ppp-malformed'],
    [
      'a cut IPv4 packet',
      (c) => c.sealed(c.datagram(c.data(0x21, packet4(CLIENT4, SERVER4).subarray(0, 19)))),
      'inner-malformed',
    ],
  ];
  test.each(refusals)('%s is a counted drop', (_, build, reason) => {
    const { engine, got, drops } = testBench();
    const client = testClient();
    engine.outer(client.from(build(client)), at);
    expect(drops()).toEqual({ [reason]: 1 });
    expect([...got.inner, ...got.outer, ...got.l2tp, ...got.ppp]).toEqual([]);
  });

  test('an SA reaches only its own session: tunnel and call of another are unknown', () => {
    const mine = saEntry();
    const theirs = saEntry({ session: OTHER, inboundSpi: 0x0140_0200 });
    const call = callEntry({ session: OTHER, ours: { tunnel: 31, call: 32 } });
    const link = linkEntry({ session: OTHER, call: 32, ipv4: { address: '10.99.0.8' } });
    const { ipv6: _, ...rest } = link;
    const { engine, got, drops } = testBench([mine, theirs, call, rest]);
    const client = testClient(mine);
    const packet = packet4('10.99.0.8', SERVER4);
    engine.outer(
      client.from(client.sealed(client.datagram(client.data(0x21, packet, { tunnel: 31, call: 32 })))),
      at,
    );
    expect(got.inner).toEqual([]);
    expect(drops()).toEqual({ 'l2tp-unknown-call': 1 });
  });

  test('unknown SPI, replay, forged ICV, expiry, wrong encapsulation: silence and a count', () => {
    const { engine, got, drops } = testBench();
    const client = testClient();
    const good = client.user(packet4(CLIENT4, SERVER4));
    const stranger = good.slice();
    stranger[3] = 0x77;
    const forged = client.user(packet4(CLIENT4, SERVER4));
    forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
    for (const packet of [stranger, forged, good, good]) engine.outer(client.from(packet), at);
    engine.outer({ ...client.from(client.user(packet4(CLIENT4, SERVER4))), via: 'esp' }, at);
    engine.outer(client.from(client.user(packet4(CLIENT4, SERVER4))), 1_000_000);
    expect(got.inner.length).toBe(1);
    expect(got.outer).toEqual([]);
    expect(drops()).toEqual({
      'unknown-spi': 1,
      'esp-icv': 1,
      'esp-replayed': 1,
      'wrong-encapsulation': 1,
      'sa-expired': 1,
    });
  });

  test('RFC 2661 §5.4: late and repeated data messages are dropped', () => {
    const { engine, got, drops } = testBench();
    const client = testClient();
    const packet = packet4(CLIENT4, SERVER4);
    for (const ns of [0xfffe, 0xffff, 0, 0xffff, 0, 2, 1, 3]) {
      engine.outer(client.from(client.sealed(client.datagram(client.data(0x21, packet, { ns })))), at);
    }
    expect(got.inner.length).toBe(5);
    expect(drops()).toEqual({ 'l2tp-old-sequence': 3 });
  });

  test('when the SA is withdrawn nothing passes any more', () => {
    const { engine, got, drops } = testBench();
    const client = testClient();
    engine.declare({ session: SESSION, bucket: 'ike', entries: [] }, at);
    engine.outer(client.from(client.user(packet4(CLIENT4, SERVER4))), at);
    engine.inner(packet4(SERVER4, CLIENT4), at);
    expect([...got.inner, ...got.outer]).toEqual([]);
    expect(drops()).toEqual({ 'unknown-spi': 1, 'no-sa': 1 });
  });

  test('when all records are gone no trace of the session is left', () => {
    const { engine } = testBench();
    for (const bucket of ['ike', 'l2tp', 'ppp'])
      engine.declare({ session: SESSION, bucket, entries: [] }, at);
    expect(engine.report(SESSION, at)).toBeUndefined();
    expect(engine.inner(packet4(SERVER4, CLIENT4), at)).toBe(false);
  });
});

describe('from the tun to the client', () => {
  test('a packet is sealed for the client that has the address', () => {
    const { engine, got, drops } = testBench();
    const client = testClient();
    const four = packet4(SERVER4, CLIENT4);
    const six = packet6(SERVER6, `${PREFIX6}abcd`);
    expect(engine.inner(four, at)).toBe(true);
    expect(engine.inner(six, at)).toBe(true);
    const frames = got.outer.map(({ octets }) => client.frameOf(octets));
    expect(frames.map(({ protocol, information }) => [protocol, toHex(information)])).toEqual([
      [protocols.ipv4, toHex(four)],
      [protocols.ipv6, toHex(six)],
    ]);
    expect(frames[0]?.header).toMatchObject({ tunnelId: 21, sessionId: 22 });
    expect(got.outer.map(({ octets }) => client.opened(octets).sequence)).toEqual([1, 2]);
    expect(got.outer[0]).toMatchObject({ encapsulation: 'udp', port: 61_000 });
    expect(drops()).toEqual({});
    expect(engine.inner(packet4(SERVER4, '10.99.9.9'), at)).toBe(false);
    expect(engine.inner(hex('60'), at)).toBe(false);
    expect(engine.inner(new Uint8Array(0), at)).toBe(false);
  });

  test('compression and sequence numbers as the entries say', () => {
    const entries = [
      saEntry(),
      callEntry({ sequencing: true }),
      linkEntry({ pfcToPeer: true, acfcToPeer: true }),
    ];
    const { engine, got } = testBench(entries);
    const client = testClient();
    engine.inner(packet4(SERVER4, CLIENT4), at);
    engine.inner(packet4(SERVER4, CLIENT4), at);
    const frames = got.outer.map(({ octets }) => client.frameOf(octets));
    expect(frames.map(({ header }) => header.ns)).toEqual([0, 1]);
    expect(frames[0]?.raw[0]).toBe(0x21);
    engine.ppp({ session: SESSION, call: 12, octets: hex('c02109010008 00000000') }, at);
    expect(toHex(client.frameOf(got.outer[2]?.octets ?? hex('')).raw)).toBe('ff03c0210901000800000000');
  });

  test('the UDP checksum inside: none behind NAT, right without, always right on IPv6', () => {
    const bare = saEntry({ encapsulation: 'none' });
    const six = saEntry({
      flow: { local: { address: '2001:db8::1', port: 4500 }, remote: { address: '2001:db8::5', port: 4500 } },
    });
    const checks = [saEntry(), bare, six].map((sa) => {
      const { engine, got } = testBench([sa, callEntry(), linkEntry()]);
      engine.l2tp({ session: SESSION, innerPorts: { local: 1701, remote: 4321 }, octets: control() }, at);
      const { udp, whole } = testClient(sa).opened(got.outer[0]?.octets ?? hex(''));
      expect([udp.sourcePort, udp.destinationPort]).toEqual([1701, 4321]);
      const [local, remote] = [sa.flow.local.address, sa.flow.remote.address].map(octetsOf);
      return udp.checksum === 0 ? 'none' : udpChecksumHolds(whole, local as Uint8Array, remote as Uint8Array);
    });
    expect(checks).toEqual(['none', true, true]);
  });

  test('too big with DF: ICMP with the path MTU, which then fits', () => {
    const wide = linkEntry({ mtuToPeer: 1500, mruFromPeer: 1500 });
    const { engine, got, drops } = testBench([saEntry(), callEntry(), wide]);
    const room = 1500 - 20 - 8;
    engine.inner(packet4(SERVER4, CLIENT4, new Uint8Array(1450), { dontFragment: true }), at);
    expect(got.outer).toEqual([]);
    const error = parseIpv4(got.inner[0] ?? hex(''));
    if (!error.ok) throw new Error(error.reason);
    const mtu = viewOf(error.value.payload).getUint16(6);
    expect(toHex(error.value.payload.subarray(0, 2))).toBe('0304');
    expect([toHex(error.value.source), toHex(error.value.destination)]).toEqual(
      [CLIENT4, SERVER4].map((a) => toHex(octetsOf(a))),
    );
    const gcm = prepareEsp('aes-gcm-16-256', 'none', saEntry().outbound);
    const outer = (inner: number) => sealedLength(gcm, 8 + 8 + 4 + inner);
    expect(outer(mtu)).toBeLessThanOrEqual(room);
    expect(outer(mtu + 1)).toBeGreaterThan(room);
    engine.inner(packet4(SERVER4, CLIENT4, new Uint8Array(mtu - 20), { dontFragment: true }), at);
    expect(got.outer.length).toBe(1);
    expect(got.outer[0]?.octets.length).toBe(outer(mtu));
    expect(drops()).toEqual({ 'too-big': 1 });
  });

  test('too big for the peer without DF: fragments', () => {
    const { engine, got, drops } = testBench();
    engine.inner(packet4(SERVER4, CLIENT4, new Uint8Array(1480)), at);
    const client = testClient();
    const fragments = got.outer.map(({ octets }) => client.frameOf(octets).information.length);
    expect(fragments).toEqual([1396, 124]);
    expect(drops()).toEqual({});
  });

  test('too big on IPv6: Packet Too Big, never for less than 1280, and not about an error', () => {
    const { engine, got, drops } = testBench([saEntry(), callEntry(), linkEntry({ mtuToPeer: 1000 })]);
    engine.inner(packet6(SERVER6, `${PREFIX6}1`, new Uint8Array(1240)), at);
    expect(got.outer.length).toBe(1);
    engine.inner(packet6(SERVER6, `${PREFIX6}1`, new Uint8Array(1241)), at);
    const error = parseIpv6(got.inner[0] ?? hex(''));
    if (!error.ok) throw new Error(error.reason);
    expect(toHex(error.value.payload.subarray(0, 8))).toMatch(/^0200....00000500$/);
    const unreachable = new Uint8Array(1300);
    unreachable[0] = 1;
    engine.inner(packet6(SERVER6, `${PREFIX6}1`, unreachable, 58), at);
    expect(got.inner.length).toBe(1);
    expect(drops()).toEqual({ 'too-big': 2 });
  });

  test('ICMP answers are rate limited per session', () => {
    const { engine, got } = testBench();
    for (let count = 0; count < 100; count += 1) {
      engine.inner(packet4(SERVER4, CLIENT4, new Uint8Array(1450), { dontFragment: true }), at);
    }
    expect(got.inner.length).toBe(20);
  });

  test('the MSS is lowered in both directions and the TCP checksum stays right', () => {
    const { engine, got } = testBench();
    const client = testClient();
    const syn = (source: string, destination: string) => {
      const segment = hex('00500051 00000000 00000000 60020000 00000000 020405b4');
      const pseudo = pseudoHeaderSum(octetsOf(source), octetsOf(destination), 6, segment.length);
      viewOf(segment).setUint16(16, checksumOf(sumOf(segment, 0, segment.length, pseudo)));
      return segment;
    };
    const packets = [
      packet4(CLIENT4, SERVER4, syn(CLIENT4, SERVER4), { protocol: 6 }),
      packet6(`${PREFIX6}1`, SERVER6, syn(`${PREFIX6}1`, SERVER6), 6),
    ];
    for (const packet of packets) engine.outer(client.from(client.user(packet)), at);
    engine.inner(packet4(SERVER4, CLIENT4, syn(SERVER4, CLIENT4), { protocol: 6 }), at);
    const seen = [...got.inner, client.frameOf(got.outer[0]?.octets ?? hex('')).information];
    const mss = seen.map((packet) => {
      const read = (packet[0] ?? 0) >>> 4 === 6 ? parseIpv6(packet) : parseIpv4(packet);
      if (!read.ok) throw new Error(read.reason);
      const { payload, source, destination } = read.value;
      expect(
        sumHolds(sumOf(payload, 0, payload.length, pseudoHeaderSum(source, destination, 6, payload.length))),
      ).toBe(true);
      return viewOf(payload).getUint16(22);
    });
    const path = 1500 - 20 - 8 - 8 - 8 - 16 - 2 - 8 - 8 - 4;
    const aligned = path - ((path + 2 + 20) % 4);
    expect(mss[0]).toBe(mss[2]);
    expect(mss[0]).toBeGreaterThan(1300);
    expect(mss[0]).toBeLessThanOrEqual(aligned - 40);
    expect(mss[1]).toBe((mss[0] ?? 0) - 20);
  });
});

describe('SAs and sequence numbers', () => {
  const older = saEntry();
  const newer = saEntry({ inboundSpi: 0x0140_0300, createdAt: 5000, expiresAt: 2_000_000 });

  test('the first SA is used at once, a newer one when the peer was seen to use it, the last when others expire', () => {
    const { engine, got, declare, grantAll } = testBench([older, callEntry(), linkEntry()]);
    const [first, second] = [testClient(older), testClient(newer)];
    const used = () => {
      engine.inner(packet4(SERVER4, CLIENT4), at);
      return viewOf(got.outer.at(-1)?.octets ?? hex('')).getUint32(0);
    };
    expect(used()).toBe(older.outboundSpi);
    engine.outer(first.from(first.user(packet4(CLIENT4, SERVER4))), at);
    declare([older, newer]);
    grantAll();
    expect(used()).toBe(older.outboundSpi);
    engine.outer(second.from(second.user(packet4(CLIENT4, SERVER4))), at);
    expect(used()).toBe(newer.outboundSpi);
    engine.outer(first.from(first.user(packet4(CLIENT4, SERVER4))), at);
    expect(used()).toBe(newer.outboundSpi);
    declare([older]);
    expect(used()).toBe(older.outboundSpi);
  });

  test('applying the same entry again keeps window and numbers', () => {
    const { engine, got, declare, drops } = testBench();
    const client = testClient();
    const packet = client.user(packet4(CLIENT4, SERVER4));
    engine.outer(client.from(packet), at);
    engine.inner(packet4(SERVER4, CLIENT4), at);
    declare([saEntry({ expiresAt: 900_000 })]);
    engine.outer(client.from(packet), at);
    engine.inner(packet4(SERVER4, CLIENT4), at);
    expect(drops()).toEqual({ 'esp-replayed': 1 });
    expect(got.outer.map(({ octets }) => client.opened(octets).sequence)).toEqual([1, 2]);
  });

  test('packets wait for a reservation, in order and bounded; late ones are dropped', () => {
    const { engine, got, drops } = testBench([]);
    engine.declare({ session: SESSION, bucket: 'ike', entries: [saEntry()] }, at);
    engine.declare({ session: SESSION, bucket: 'l2tp', entries: [callEntry()] }, at);
    expect(got.events).toMatchObject([{ type: 'sequence-wanted', outboundSpi: saEntry().outboundSpi }]);
    for (let count = 0; count < 70; count += 1) {
      engine.ppp({ session: SESSION, call: 12, octets: hex('c021') }, at);
    }
    expect(got.outer).toEqual([]);
    engine.grant({ inboundSpi: saEntry().inboundSpi, first: 501, end: 600 }, at + 100);
    const client = testClient();
    expect(got.outer.map(({ octets }) => client.opened(octets).sequence)).toEqual(
      Array.from({ length: 64 }, (_, i) => 501 + i),
    );
    expect(drops()).toEqual({ 'sequence-stalled': 6 });
    const late = testBench([]);
    late.engine.declare({ session: SESSION, bucket: 'ike', entries: [saEntry()] }, at);
    late.engine.declare({ session: SESSION, bucket: 'l2tp', entries: [callEntry()] }, at);
    late.engine.ppp({ session: SESSION, call: 12, octets: hex('c021') }, at);
    late.engine.tick(at + 2_001);
    late.engine.grant({ inboundSpi: saEntry().inboundSpi, first: 1, end: 600 }, at + 2_002);
    expect(late.got.outer).toEqual([]);
    expect(late.drops()).toEqual({ 'sequence-stalled': 1 });
  });

  test('no number is used twice or outside a grant, whatever the grants say', () => {
    const { engine, got, drops } = testBench([]);
    engine.declare({ session: SESSION, bucket: 'ike', entries: [saEntry()] }, at);
    engine.declare({ session: SESSION, bucket: 'l2tp', entries: [callEntry()] }, at);
    const { inboundSpi } = saEntry();
    const send = (count: number) => {
      for (let i = 0; i < count; i += 1) engine.ppp({ session: SESSION, call: 12, octets: hex('c021') }, at);
    };
    engine.grant({ inboundSpi, first: 1, end: 4 }, at);
    send(2);
    engine.grant({ inboundSpi, first: 2, end: 6 }, at);
    send(4);
    engine.grant({ inboundSpi, first: 2 ** 32 - 2, end: 2 ** 32 + 5 }, at);
    send(4);
    const client = testClient();
    const numbers = got.outer.map(({ octets }) => client.opened(octets).sequence);
    expect(numbers).toEqual([1, 2, 3, 4, 5, 2 ** 32 - 2, 2 ** 32 - 1]);
    expect(drops()).toEqual({ 'sequence-exhausted': 3 });
  });

  test('a refused entry does not take the others with it', () => {
    const bad = saEntry({ inboundSpi: 0x0140_0900, encryption: 'aes-cbc-256', integrity: 'none' });
    const { engine, got, declare } = testBench([saEntry(), callEntry(), linkEntry()]);
    declare([
      saEntry(),
      bad,
      saEntry({ inboundSpi: 0x0140_0901, inbound: { ...saEntry().inbound, encryption: hex('00') } }),
    ]);
    declare([saEntry({ session: OTHER })]);
    expect(got.events.filter(({ type }) => type === 'entry-refused').length).toBe(3);
    const client = testClient();
    engine.outer(client.from(client.user(packet4(CLIENT4, SERVER4))), at);
    expect(got.inner.length).toBe(1);
  });
});

describe('NAT rebinding', () => {
  test('the newest authenticated packet moves the endpoint, old and forged ones do not', () => {
    const { engine, got } = testBench();
    const client = testClient();
    const [old, fresh, last] = [1, 2, 3].map(() => client.user(packet4(CLIENT4, SERVER4))) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    engine.outer(client.from(fresh, 7777), at);
    engine.outer(client.from(old, 6666), at);
    const forged = last.slice();
    forged[20] = (forged[20] ?? 0) ^ 1;
    engine.outer(client.from(forged, 5555), at);
    engine.inner(packet4(SERVER4, CLIENT4), at);
    expect(got.outer[0]?.port).toBe(7777);
    expect(got.events.filter(({ type }) => type === 'endpoint-moved').length).toBe(1);
    expect(engine.counters().moves).toBe(1);
  });

  test('moves are rate limited, and raw ESP never moves', () => {
    const { engine } = testBench();
    const client = testClient();
    for (let port = 1; port <= 10; port += 1)
      engine.outer(client.from(client.user(packet4(CLIENT4, SERVER4)), port), at);
    expect(engine.counters().moves).toBe(4);
    const sa = saEntry({ encapsulation: 'none' });
    const raw = testBench([sa, callEntry(), linkEntry()]);
    const bare = testClient(sa);
    raw.engine.outer(bare.from(bare.user(packet4(CLIENT4, SERVER4)), 99), at);
    raw.engine.inner(packet4(SERVER4, CLIENT4), at);
    expect(raw.got.outer[0]).toMatchObject({ encapsulation: 'none', port: 61_000 });
    expect(raw.engine.counters().moves).toBe(0);
  });

  test('the session’s other SAs move along', () => {
    const second = saEntry({ inboundSpi: 0x0140_0300, createdAt: 1 });
    const { engine, got, declare, grantAll } = testBench();
    declare([saEntry(), second]);
    grantAll();
    const client = testClient(second);
    engine.outer(client.from(client.user(packet4(CLIENT4, SERVER4)), 7777), at);
    declare([saEntry()]);
    engine.inner(packet4(SERVER4, CLIENT4), at);
    expect(got.outer.at(-1)?.port).toBe(7777);
  });
});

test('the policy can change while sessions live', () => {
  const { engine, got, drops } = testBench();
  const client = testClient();
  engine.outer(client.from(client.user(packet4(CLIENT4, '192.0.2.99'))), at);
  engine.setPolicy(policyFor({}, ['192.0.2.99']));
  engine.outer(client.from(client.user(packet4(CLIENT4, '192.0.2.99'))), at);
  expect(got.inner.length).toBe(1);
  expect(drops()).toEqual({ 'inner-to-gateway': 1 });
});
