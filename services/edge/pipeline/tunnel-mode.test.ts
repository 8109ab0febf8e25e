import type { SaEntry, TrafficSelector } from '@culvert/contracts';
import { hex, toHex, viewOf } from '@culvert/wire';
import { describe, expect, test } from 'vitest';
import { sealedLength } from '../esp/index.ts';
import { prepareEsp } from '../esp/transform.ts';
import {
  CLIENT4,
  callEntry,
  linkEntry,
  PREFIX6,
  packet4,
  packet6,
  policyFor,
  SERVER4,
  SERVER6,
  SESSION,
  saEntry,
  selectorEntry,
  testBench,
  testClient,
  tunnelEntry,
  tunnelLink,
} from './session-fixture.ts';

const at = 2000;
const CLIENT6 = `${PREFIX6}1`;
const ports = (source: number, destination: number, rest = 4) => {
  const octets = new Uint8Array(4 + rest);
  viewOf(octets).setUint16(0, source);
  viewOf(octets).setUint16(2, destination);
  return octets;
};

describe('both ways', () => {
  test.each(['aes-gcm-16-256', 'aes-cbc-128'] as const)('packets of both families, %s', (encryption) => {
    const sa = tunnelEntry({ encryption });
    const { engine, got, drops } = testBench([sa, tunnelLink()]);
    const client = testClient(sa);
    const up = [packet4(CLIENT4, SERVER4), packet6(CLIENT6, SERVER6)];
    const down = [packet4(SERVER4, CLIENT4), packet6(SERVER6, CLIENT6)];
    for (const packet of up) engine.outer(client.from(client.tunneled(packet)), at);
    for (const packet of down) expect(engine.inner(packet, at)).toBe(true);
    expect(got.inner.map(toHex)).toEqual(up.map(toHex));
    const inside = got.outer.map(({ octets }) => client.plainOf(octets));
    expect(inside.map(({ payload, nextHeader }) => [toHex(payload), nextHeader])).toEqual([
      [toHex(down[0] ?? hex('')), 4],
      [toHex(down[1] ?? hex('')), 41],
    ]);
    expect(drops()).toEqual({});
    expect(engine.report(SESSION, at)).toMatchObject({ links: 1, packetsIn: 2, packetsOut: 2 });
  });

  test('our end of the link answers Echo through the tunnel', () => {
    const sa = tunnelEntry();
    const { engine, got } = testBench([sa, tunnelLink()]);
    const client = testClient(sa);
    engine.outer(
      client.from(client.tunneled(packet4(CLIENT4, '10.99.0.1', hex('0800f7fd00010001'), { protocol: 1 }))),
      at,
    );
    const reply = client.plainOf(got.outer[0]?.octets ?? hex(''));
    expect([reply.nextHeader, reply.payload[20]]).toEqual([4, 0]);
  });

  test('the room inside is what UDP, ESP and IP leave', () => {
    const sa = tunnelEntry();
    const { engine, got } = testBench([sa, tunnelLink({ mtuToPeer: 1500, mruFromPeer: 1500 })]);
    engine.inner(packet4(SERVER4, CLIENT4, new Uint8Array(1460), { dontFragment: true }), at);
    const mtu = viewOf(got.inner[0] ?? hex('')).getUint16(26);
    const transform = prepareEsp(sa.encryption, sa.integrity, sa.outbound);
    expect(sealedLength(transform, mtu)).toBeLessThanOrEqual(1500 - 20 - 8);
    expect(sealedLength(transform, mtu + 1)).toBeGreaterThan(1500 - 20 - 8);
    engine.inner(packet4(SERVER4, CLIENT4, new Uint8Array(mtu - 20), { dontFragment: true }), at);
    expect(got.outer).toHaveLength(1);
  });
});

describe('what does not belong', () => {
  const four = packet4(CLIENT4, SERVER4);
  const six = packet6(CLIENT6, SERVER6);
  const refused: readonly (readonly [string, Uint8Array, number, string])[] = [
    ['IPv4 under 41', four, 41, 'esp-next-header'],
    ['IPv6 under 4', six, 4, 'esp-next-header'],
    ['UDP', four.subarray(20), 17, 'esp-next-header'],
    ['TCP', four.subarray(20), 6, 'esp-next-header'],
    ['L2TP in UDP', hex('06a506a500100000c802000c0000000000000000'), 17, 'esp-next-header'],
    ['a dummy packet', four, 59, 'esp-dummy'],
    ['nothing', hex(''), 4, 'inner-malformed'],
    ['a cut packet', four.subarray(0, 19), 4, 'inner-malformed'],
    ['a source that is not the client', packet4('10.99.0.8', SERVER4), 4, 'selector'],
    [
      'link-local housekeeping, for there is no link',
      packet6(CLIENT6, 'ff02::2', hex('8500000000000000'), 58),
      41,
      'inner-martian',
    ],
    ['multicast', packet4(CLIENT4, '224.0.0.1'), 4, 'inner-multicast'],
    ['the gateway itself', packet4(CLIENT4, '198.51.100.1'), 4, 'inner-to-gateway'],
  ];
  test.each(refused)('%s', (_, packet, nextHeader, reason) => {
    const sa = tunnelEntry();
    const { engine, got, drops } = testBench([sa, tunnelLink()]);
    const client = testClient(sa);
    engine.outer(client.from(client.sealed(packet, nextHeader)), at);
    expect(drops()).toEqual({ [reason]: 1 });
    expect([...got.inner, ...got.outer, ...got.l2tp, ...got.ppp]).toEqual([]);
  });

  test('wide selectors do not widen what a client may be', () => {
    const sa = tunnelEntry({ tunnel: { local: [selectorEntry()], remote: [selectorEntry()] } });
    const { engine, drops } = testBench([sa, tunnelLink()]);
    const client = testClient(sa);
    engine.outer(client.from(client.tunneled(packet4('10.99.0.8', SERVER4))), at);
    expect(drops()).toEqual({ 'inner-source': 1 });
  });

  test('before the session has its link, or one with that family', () => {
    const sa = tunnelEntry();
    const bench = testBench([sa, callEntry(), linkEntry()]);
    const client = testClient(sa);
    bench.engine.outer(client.from(client.tunneled(four)), at);
    const { ipv6: _, ...only4 } = tunnelLink();
    bench.engine.declare({ session: SESSION, bucket: 'ppp', entries: [only4] }, at);
    bench.engine.outer(client.from(client.tunneled(six)), at);
    expect(bench.drops()).toEqual({ 'no-link': 2 });
  });

  test('the modes keep to their own SAs', () => {
    const transport = saEntry({ inboundSpi: 0x0140_0300 });
    const other = linkEntry({ ipv4: { address: '10.99.0.9' } });
    const { ipv6: _, ...onlyFour } = other;
    const sa = tunnelEntry();
    const only = testBench([sa, callEntry(), onlyFour]);
    only.engine.inner(packet4(SERVER4, '10.99.0.9'), at);
    only.engine.l2tp(
      { session: SESSION, innerPorts: { local: 1701, remote: 1701 }, octets: hex('c802') },
      at,
    );
    expect(only.drops()).toEqual({ 'no-sa': 2 });
    const reversed = testBench([transport, tunnelLink()]);
    reversed.engine.inner(packet4(SERVER4, CLIENT4), at);
    expect(reversed.drops()).toEqual({ 'no-sa': 1 });
    const both = testBench([transport, sa, callEntry(), onlyFour, tunnelLink()]);
    both.engine.inner(packet4(SERVER4, '10.99.0.9'), at);
    both.engine.inner(packet4(SERVER4, CLIENT4), at);
    const spis = both.got.outer.map(({ octets }) => viewOf(octets).getUint32(0));
    expect(spis).toEqual([transport.outboundSpi, sa.outboundSpi]);
  });
});

describe('selectors', () => {
  const TCP = 6;
  const https = selectorEntry({ protocol: TCP, fromPort: 443, toPort: 443 });
  const elsewhere = selectorEntry({ from: '9.9.9.9', to: '9.9.9.9' });
  const six = selectorEntry({ from: '::', to: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' });
  const echoOnly = selectorEntry({ protocol: 1, fromPort: 0x0800, toPort: 0x08ff });
  const tcp = (source: number, destination: number) =>
    packet4(CLIENT4, SERVER4, ports(source, destination, 16), { protocol: TCP });
  const icmp = (type: number) =>
    packet4(CLIENT4, SERVER4, Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 0), { protocol: 1 });
  const any = selectorEntry();
  const proto = (protocol: number) => packet4(CLIENT4, SERVER4, ports(9, 443), { protocol });

  // Selectors of our end, of the client's end, the client's packet, and whether it passes.
  const table: readonly (readonly [string, TrafficSelector[], TrafficSelector[], Uint8Array, boolean])[] = [
    ['everything', [any], [any], tcp(9, 443), true],
    ['the port', [https], [any], tcp(9, 443), true],
    ['another port', [https], [any], tcp(9, 444), false],
    ['the port at the other end', [https], [any], tcp(443, 9), false],
    ['the client’s port', [any], [https], tcp(443, 9), true],
    ['the second selector of ours', [elsewhere, https], [any], tcp(9, 443), true],
    [
      'no selector mixes two',
      [selectorEntry({ ...https, from: '9.9.9.9', to: '9.9.9.9' }), selectorEntry({ protocol: 17 })],
      [any],
      tcp(9, 443),
      false,
    ],
    ['another protocol', [https], [any], packet4(CLIENT4, SERVER4, ports(9, 443)), false],
    ['the protocol in one side only', [any], [selectorEntry({ protocol: 17 })], tcp(9, 443), false],
    [
      'the first address of a range',
      [selectorEntry({ from: SERVER4, to: '192.0.2.99' })],
      [any],
      tcp(9, 443),
      true,
    ],
    [
      'the last address of a range',
      [selectorEntry({ from: '192.0.2.0', to: SERVER4 })],
      [any],
      tcp(9, 443),
      true,
    ],
    ['below a range', [selectorEntry({ from: '192.0.2.81', to: '192.0.2.99' })], [any], tcp(9, 443), false],
    ['above a range', [selectorEntry({ from: '10.0.0.0', to: '192.0.2.79' })], [any], tcp(9, 443), false],
    ['an IPv6 range has no IPv4 packet, though it spans the mapped ones', [six], [six], tcp(9, 443), false],
    ['an IPv4 range has no IPv6 packet', [any], [any], packet6(CLIENT6, SERVER6), false],
    ['IPv6', [six], [six], packet6(CLIENT6, SERVER6), true],
    [
      'IPv6 ports behind extension headers',
      [selectorEntry({ ...six, protocol: TCP, fromPort: 443, toPort: 443 })],
      [six],
      packet6(CLIENT6, SERVER6, Uint8Array.of(6, 0, 1, 4, 0, 0, 0, 0, ...ports(9, 443, 16)), 60),
      true,
    ],
    [
      'a first IPv6 fragment',
      [selectorEntry({ ...six, fromPort: 443, toPort: 443 })],
      [six],
      packet6(CLIENT6, SERVER6, Uint8Array.of(17, 0, 0, 1, 0, 0, 0, 7, ...ports(9, 443)), 44),
      true,
    ],
    [
      'a later IPv6 fragment',
      [selectorEntry({ ...six, fromPort: 443, toPort: 443 })],
      [six],
      packet6(CLIENT6, SERVER6, Uint8Array.of(17, 0, 0, 8, 0, 0, 0, 7, ...ports(9, 443)), 44),
      false,
    ],
    [
      'a later IPv6 fragment where all ports pass',
      [six],
      [six],
      packet6(CLIENT6, SERVER6, Uint8Array.of(17, 0, 0, 8, 0, 0, 0, 7, ...ports(9, 443)), 44),
      true,
    ],
    [
      'a first IPv4 fragment',
      [selectorEntry({ fromPort: 443, toPort: 443 })],
      [any],
      packet4(CLIENT4, SERVER4, ports(9, 443)),
      true,
    ],
    [
      'a later IPv4 fragment',
      [selectorEntry({ fromPort: 443, toPort: 443 })],
      [any],
      packet4(CLIENT4, SERVER4, ports(9, 443), { fragmentOffset: 64 }),
      false,
    ],
    [
      'all ports but one are not all',
      [selectorEntry({ fromPort: 1 })],
      [any],
      packet4(CLIENT4, SERVER4, ports(9, 443), { fragmentOffset: 64 }),
      false,
    ],
    [
      'a packet too short for ports',
      [selectorEntry({ fromPort: 443, toPort: 443 })],
      [any],
      packet4(CLIENT4, SERVER4, Uint8Array.of(0, 9, 1)),
      false,
    ],
    ['ICMP Echo by type and code', [echoOnly], [echoOnly], icmp(8), true],
    ['another ICMP type', [echoOnly], [echoOnly], icmp(13), false],
    [
      'ICMP cut before its code',
      [echoOnly],
      [any],
      packet4(CLIENT4, SERVER4, Uint8Array.of(8), { protocol: 1 }),
      false,
    ],
    [
      'ICMPv6 by type',
      [selectorEntry({ ...six, protocol: 58, fromPort: 0x8000, toPort: 0x80ff })],
      [six],
      packet6(CLIENT6, SERVER6, hex('8000000000000000'), 58),
      true,
    ],
    ...(
      [
        [6, true],
        [17, true],
        [33, true],
        [132, true],
        [136, true],
        [47, false],
        [50, false],
        [2, false],
        [41, false],
      ] as const
    ).map(
      ([protocol, has]) =>
        [
          `protocol ${protocol} ${has ? 'has' : 'has no'} ports`,
          [selectorEntry({ fromPort: 443, toPort: 443 })],
          [any],
          proto(protocol),
          has,
        ] as [string, TrafficSelector[], TrafficSelector[], Uint8Array, boolean],
    ),
  ];

  test.each(table)('from the client: %s', (_, local, remote, packet, passes) => {
    const sa = tunnelEntry({ tunnel: { local, remote } });
    const { engine, got, drops } = testBench([sa, tunnelLink()], policyFor());
    const client = testClient(sa);
    engine.outer(client.from(client.tunneled(packet)), at);
    expect(drops()).toEqual(passes ? {} : { selector: 1 });
    expect(got.inner).toHaveLength(passes ? 1 : 0);
  });

  test.each(table)('to the client, the other way round: %s', (_, local, remote, packet, passes) => {
    // What the client sends as its own would come back with the sides exchanged.
    const sa = tunnelEntry({ tunnel: { local: remote, remote: local } });
    const link = tunnelLink({
      ipv4: { address: SERVER4 },
      ipv6: { prefix: '2001:db8:80::', prefixLength: 64, interfaceId: new Uint8Array(8) },
    });
    const { engine, got, drops } = testBench([sa, link]);
    engine.inner(packet, at);
    expect(drops()).toEqual(passes ? {} : { selector: 1 });
    expect(got.outer).toHaveLength(passes ? 1 : 0);
  });

  test('of several SAs: the newest in use that has the packet, before any is in use the newest', () => {
    const made = (spi: number, createdAt: number, protocol: number): SaEntry =>
      tunnelEntry({
        inboundSpi: spi,
        createdAt,
        tunnel: { local: [selectorEntry({ protocol })], remote: [any] },
      });
    const [old, udp, young] = [made(0x0140_0301, 1, 6), made(0x0140_0302, 2, 17), made(0x0140_0303, 3, 6)];
    const { engine, got, drops } = testBench([old, udp, young, tunnelLink()]);
    const spi = (packet: Uint8Array) => {
      engine.inner(packet, at);
      return viewOf(got.outer.at(-1)?.octets ?? hex('00000000')).getUint32(0);
    };
    const towards = (protocol: number) => packet4(SERVER4, CLIENT4, ports(443, 9, 16), { protocol });
    expect([spi(towards(6)), spi(towards(17))]).toEqual([young.outboundSpi, udp.outboundSpi]);
    const client = testClient(old);
    engine.outer(client.from(client.tunneled(tcp(9, 443))), at);
    expect(spi(towards(6))).toBe(old.outboundSpi);
    engine.inner(towards(47), at);
    expect(drops()).toEqual({ selector: 1 });
    engine.inner(towards(6), 1_000_000);
    expect(drops()).toEqual({ selector: 1, 'no-sa': 1 });
  });

  test('may change under the same keys', () => {
    const sa = tunnelEntry();
    const { engine, got, drops, declare } = testBench([sa, tunnelLink()]);
    const client = testClient(sa);
    engine.outer(client.from(client.tunneled(tcp(9, 443))), at);
    declare([tunnelEntry({ tunnel: { local: [elsewhere], remote: [any] } })]);
    engine.outer(client.from(client.tunneled(tcp(9, 443))), at);
    expect(got.inner).toHaveLength(1);
    expect(drops()).toEqual({ selector: 1 });
  });
});
