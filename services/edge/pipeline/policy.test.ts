import { hex } from '@culvert/wire';
import { prefixOf } from '@culvert/wire/ip';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CLIENT4,
  callEntry,
  linkEntry,
  octetsOf,
  PREFIX6,
  packet4,
  packet6,
  policyFor,
  SERVER4,
  SERVER6,
  saEntry,
  testBench,
  testClient,
} from './session-fixture.ts';

/** S-1 and S-21: what an authenticated client may not do, packet by packet. */
const at = 2000;
const LOCALS = [
  '198.51.100.1',
  '127.0.0.1',
  '192.168.7.1',
  '192.168.7.255',
  '10.99.0.1',
  '2001:db8:7::1',
  'fe80::1',
  '::1',
];

function tried(packet: Uint8Array, policy = policyFor({}, LOCALS)) {
  const bench = testBench([saEntry(), callEntry(), linkEntry()], policy);
  const client = testClient();
  bench.engine.outer(client.from(client.user(packet)), at);
  const [drop] = Object.keys(bench.drops());
  const { inner, ppp, outer } = bench.got;
  return { drop, forwarded: inner.length, toPpp: ppp.length, answered: outer.length };
}

const udp = (port: number) => Uint8Array.of(0xc0, 0, port >>> 8, port & 0xff, 0, 8, 0, 0);
const tcpSyn = (port: number) => {
  const segment = new Uint8Array(20);
  segment.set([0xc0, 0, port >>> 8, port & 0xff]);
  segment[12] = 0x50;
  segment[13] = 2;
  return segment;
};

describe('the gateway itself is out of reach', () => {
  // NATS client, monitoring and cluster; metrics of five services; OTLP; SSH; DNS; IKE; L2TP; RADIUS; LDAP.
  const ports = [4222, 8222, 6222, 9464, 9465, 9466, 9467, 9468, 4318, 22, 53, 500, 4500, 1701, 1812, 389];
  test.each(ports)('port %i of every local address, UDP and TCP', (port) => {
    for (const address of LOCALS) {
      for (const [payload, protocol] of [[udp(port), 17] as const, [tcpSyn(port), 6] as const]) {
        const packet = address.includes(':')
          ? packet6(`${PREFIX6}1`, address, payload, protocol)
          : packet4(CLIENT4, address, payload, { protocol });
        const outcome = tried(packet);
        expect(outcome).toMatchObject({ forwarded: 0, toPpp: 0, answered: 0 });
        expect(outcome.drop).toMatch(/^inner-(to-gateway|martian)$/);
      }
    }
  });

  test('fragments, ESP, GRE, IPIP and unknown protocols to it neither', () => {
    for (const protocol of [1, 2, 4, 41, 47, 50, 51, 89, 132, 255]) {
      expect(tried(packet4(CLIENT4, '198.51.100.1', new Uint8Array(8), { protocol })).drop).toBe(
        'inner-to-gateway',
      );
    }
    const fragment = packet4(CLIENT4, '198.51.100.1', new Uint8Array(8), { fragmentOffset: 64 });
    expect(tried(fragment).drop).toBe('inner-to-gateway');
  });

  test('our end of the link answers Echo, and nothing reaches the tun', () => {
    const echo = hex('0800f7fd00010001');
    expect(tried(packet4(CLIENT4, '10.99.0.1', echo, { protocol: 1 }))).toMatchObject({
      forwarded: 0,
      answered: 1,
    });
    const timestamp = hex('0d00f2fe00010000');
    expect(tried(packet4(CLIENT4, '10.99.0.1', timestamp, { protocol: 1 }))).toMatchObject({
      drop: 'inner-to-gateway',
      answered: 0,
    });
  });
});

describe('sources', () => {
  test.each(['10.99.0.8', '10.99.0.1', '0.0.0.0', '127.0.0.1', SERVER4, '255.255.255.255'])(
    '%s',
    (source) => {
      expect(tried(packet4(source, SERVER4))).toMatchObject({ drop: 'inner-source', forwarded: 0 });
    },
  );
  test.each(['2001:db8:99:8::1', SERVER6, '::1', '::ffff:10.99.0.7'])('%s', (source) => {
    expect(tried(packet6(source, SERVER6))).toMatchObject({ drop: 'inner-source', forwarded: 0 });
  });
  test('any source but the leased one is dropped, any of the /64 passes', () => {
    const four = fc.uint8Array({ minLength: 4, maxLength: 4 });
    const six = fc.uint8Array({ minLength: 16, maxLength: 16 });
    const own = prefixOf(octetsOf(`${PREFIX6}1`), 64);
    fc.assert(
      fc.property(four, six, (source4, source6) => {
        const packet = packet4(source4.join('.'), SERVER4);
        expect(tried(packet).forwarded).toBe(source4.join('.') === CLIENT4 ? 1 : 0);
        const inside = source6.slice();
        inside.set(own.address.subarray(0, 8));
        const whole = packet6(SERVER6, SERVER6);
        whole.set(inside, 8);
        expect(tried(whole).forwarded).toBe(1);
      }),
      { numRuns: 50 },
    );
  });
});

describe('destinations', () => {
  const refused: readonly (readonly [string, string])[] = [
    ['10.99.0.8', 'inner-to-client'],
    ['10.99.255.255', 'inner-to-client'],
    ['224.0.0.1', 'inner-multicast'],
    ['239.255.255.250', 'inner-multicast'],
    ['255.255.255.255', 'inner-multicast'],
    ['0.0.0.0', 'inner-martian'],
    ['127.0.0.53', 'inner-martian'],
    ['169.254.169.254', 'inner-martian'],
    ['240.0.0.1', 'inner-martian'],
    ['2001:db8:99:8::1', 'inner-to-client'],
    ['ff0e::1', 'inner-multicast'],
    ['ff02::fb', 'inner-multicast'],
    ['::', 'inner-martian'],
    ['::1', 'inner-martian'],
    ['::ffff:192.0.2.1', 'inner-martian'],
    ['fe80::5', 'inner-martian'],
  ];
  test.each(refused)('%s is %s', (destination, drop) => {
    // A mapped destination in an IPv6 header: parseAddress gives its 16 octets.
    const six = destination.includes(':');
    const packet = six ? packet6(`${PREFIX6}1`, destination) : packet4(CLIENT4, destination);
    expect(tried(packet)).toMatchObject({ drop, forwarded: 0, toPpp: 0 });
  });

  test('other clients are reachable where that is allowed, the gateway still is not', () => {
    const open = policyFor({ clientToClient: true }, LOCALS);
    expect(tried(packet4(CLIENT4, '10.99.0.8'), open).forwarded).toBe(1);
    expect(tried(packet4(CLIENT4, '10.99.0.1'), open).drop).toBe('inner-to-gateway');
  });

  test('a list of corporate prefixes bounds what is reachable', () => {
    const bounded = policyFor({
      corporate: [prefixOf(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 0), 120)],
    });
    expect(tried(packet4(CLIENT4, SERVER4), bounded).forwarded).toBe(1);
    expect(tried(packet4(CLIENT4, '192.0.3.1'), bounded).drop).toBe('inner-not-allowed');
    expect(tried(packet6(`${PREFIX6}1`, SERVER6), bounded).drop).toBe('inner-not-allowed');
  });
});

describe('headers', () => {
  test('source routes and routing headers', () => {
    const routed = packet4(CLIENT4, SERVER4, new Uint8Array(8), { options: hex('83070400000000 00') });
    expect(tried(routed).drop).toBe('inner-options');
    expect(tried(packet6(`${PREFIX6}1`, SERVER6, hex('1100000000000000 0035003500080000'), 43)).drop).toBe(
      'inner-options',
    );
  });

  test('TTL and payload are untouched, padding behind the packet is cut', () => {
    const packet = packet4(CLIENT4, SERVER4, hex('0035003500080000'));
    const bench = testBench();
    const client = testClient();
    bench.engine.outer(client.from(client.user(Uint8Array.of(...packet, 0, 0, 0))), at);
    expect(bench.got.inner).toEqual([packet]);
  });
});

describe('IPv6 housekeeping goes to the ppp service', () => {
  const kinds: readonly (readonly [string, string, string, string, number, boolean])[] = [
    ['router solicitation', 'fe80::2', 'ff02::2', '8500000000000000', 58, true],
    ['duplicate address detection', '::', 'ff02::1:ff00:1', '8700000000000000', 58, true],
    ['neighbour advertisement', 'fe80::2', 'fe80::1', '8800000000000000', 58, true],
    ['DHCPv6', 'fe80::2', 'ff02::1:2', '0222022300080000', 17, true],
    ['router advertisement', 'fe80::2', 'ff02::1', '8600000000000000', 58, false],
    ['redirect', 'fe80::2', 'fe80::1', '8900000000000000', 58, false],
    ['mDNS', 'fe80::2', 'ff02::fb', '14e914e900080000', 17, false],
    ['link-local ping', 'fe80::2', 'fe80::1', '8000000000000000', 58, false],
  ];
  test.each(kinds)('%s', (_, source, destination, payload, next, wanted) => {
    const outcome = tried(packet6(source, destination, hex(payload), next));
    expect(outcome).toMatchObject({ forwarded: 0, toPpp: wanted ? 1 : 0 });
  });

  test('at a bounded rate', () => {
    const bench = testBench();
    const client = testClient();
    const solicitation = packet6('fe80::2', 'ff02::2', hex('8500000000000000'), 58);
    for (let count = 0; count < 50; count += 1)
      bench.engine.outer(client.from(client.user(solicitation)), at);
    expect(bench.got.ppp.length).toBe(20);
    expect(bench.drops()).toEqual({ 'control-rate': 30 });
  });
});
