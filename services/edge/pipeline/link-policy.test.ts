import type { LinkPolicy, PolicyRule } from '@culvert/contracts';
import { hex, viewOf } from '@culvert/wire';
import { Ecn, parseIpv4, setEcn, trafficClassOf } from '@culvert/wire/ip';
import { emitControlHeader } from '@culvert/wire/l2tp';
import { describe, expect, test } from 'vitest';
import { accountIndex } from './accounting.ts';
import {
  CLIENT4,
  callEntry,
  linkEntry,
  PREFIX6,
  packet4,
  packet6,
  ruleEntry,
  SERVER4,
  SERVER6,
  SESSION,
  saEntry,
  testBench,
  testClient,
  tunnelEntry,
  tunnelLink,
} from './session-fixture.ts';

const at = 2000;
const CLIENT6 = `${PREFIX6}1`;
const benchWith = (policy: LinkPolicy) => testBench([saEntry(), callEntry(), linkEntry({ policy })]);
const ports = (source: number, destination: number, rest = 4) => {
  const octets = new Uint8Array(4 + rest);
  viewOf(octets).setUint16(0, source);
  viewOf(octets).setUint16(2, destination);
  return octets;
};

describe('rules', () => {
  const TCP = 6;
  const web: PolicyRule = ruleEntry({
    protocol: TCP,
    prefix: '192.0.2.0/24',
    fromPort: 443,
    toPort: 444,
    class: 2,
  });
  const web6: PolicyRule = ruleEntry({
    protocol: TCP,
    prefix: '2001:db8:80::/48',
    fromPort: 443,
    toPort: 443,
    class: 3,
  });
  const no = (change: Partial<PolicyRule>) => ruleEntry({ ...change, permit: false });
  const DNS = ruleEntry({ protocol: 17, fromPort: 53, toPort: 53, class: 1 });

  /** The same packet both ways: the far end's port is `far`, the client's is 9. */
  type Both = readonly [up: Uint8Array, down: Uint8Array];
  const four = (
    protocol: number,
    far: number,
    change: { fragmentOffset?: number; cut?: number } = {},
  ): Both => {
    const { cut = 20, ...rest } = change;
    const body = (source: number, destination: number) => ports(source, destination, 16).subarray(0, cut);
    return [
      packet4(CLIENT4, SERVER4, body(9, far), { protocol, ...rest }),
      packet4(SERVER4, CLIENT4, body(far, 9), { protocol, ...rest }),
    ];
  };
  const six = (next: number, far: number, headers = ''): Both => [
    packet6(CLIENT6, SERVER6, Uint8Array.of(...hex(headers), ...ports(9, far, 16)), next),
    packet6(SERVER6, CLIENT6, Uint8Array.of(...hex(headers), ...ports(far, 9, 16)), next),
  ];
  const icmp: Both = [
    packet4(CLIENT4, SERVER4, hex('0800f7fd00010001'), { protocol: 1 }),
    packet4(SERVER4, CLIENT4, hex('0000fffd00010001'), { protocol: 1 }),
  ];
  const all = ruleEntry();
  const all6 = ruleEntry({ prefix: '::/0' });

  const table: readonly (readonly [string, readonly PolicyRule[] | undefined, Both, number | 'acl'])[] = [
    ['no rules: everything, class 0', undefined, four(47, 9), 0],
    ['an empty list: nothing', [], four(TCP, 443), 'acl'],
    ['port and prefix', [web], four(TCP, 443), 2],
    ['the last port of the range', [web], four(TCP, 444), 2],
    ['beyond the range', [web], four(TCP, 445), 'acl'],
    ['the client’s own port is not asked', [ruleEntry({ fromPort: 9, toPort: 9 })], four(TCP, 443), 'acl'],
    ['another protocol', [web], four(17, 443), 'acl'],
    ['another prefix', [{ ...web, prefix: '192.0.3.0/24' }], four(TCP, 443), 'acl'],
    ['a host', [{ ...web, prefix: SERVER4 }], four(TCP, 443), 2],
    ['the first that matches: refused', [no({ protocol: TCP }), web], four(TCP, 443), 'acl'],
    ['the first that matches: permitted', [web, no({})], four(TCP, 443), 2],
    ['one that does not match is passed over', [DNS, web], four(TCP, 443), 2],
    ['the class of the rule that matched', [DNS, { ...all, class: 3 }], four(17, 53), 1],
    ['an IPv4 rule has no IPv6 packet', [all], six(TCP, 443), 'acl'],
    ['an IPv6 rule has no IPv4 packet', [all6], four(TCP, 443), 'acl'],
    ['IPv6', [web6], six(TCP, 443), 3],
    ['behind destination options', [web6], six(60, 443, '0600010400000000'), 3],
    ['behind hop-by-hop and destination options', [web6], six(0, 443, '3c000104000000000600010400000000'), 3],
    [
      'the extension header’s own number is not the protocol',
      [ruleEntry({ ...web6, protocol: 60 })],
      six(60, 443, '0600010400000000'),
      'acl',
    ],
    ['a first IPv6 fragment', [web6], six(44, 443, '0600000100000001'), 3],
    ['a later IPv6 fragment', [web6], six(44, 443, '0600000900000001'), 'acl'],
    [
      'a later IPv6 fragment under all ports',
      [{ ...web6, fromPort: 0, toPort: 65_535 }],
      six(44, 443, '0600000900000001'),
      3,
    ],
    ['a later IPv4 fragment', [web], four(TCP, 443, { fragmentOffset: 8 }), 'acl'],
    [
      'a later IPv4 fragment under all ports',
      [{ ...web, fromPort: 0, toPort: 65_535 }],
      four(TCP, 443, { fragmentOffset: 8 }),
      2,
    ],
    ['a header cut within its ports', [web], four(TCP, 443, { cut: 3 }), 'acl'],
    ['a header cut behind its ports', [web], four(TCP, 443, { cut: 4 }), 2],
    ['ICMP under all ports', [ruleEntry({ protocol: 1, class: 1 })], icmp, 1],
    ['ICMP has no ports here', [ruleEntry({ protocol: 1, fromPort: 0, toPort: 0x0800 })], icmp, 'acl'],
    ['SCTP has', [ruleEntry({ protocol: 132, fromPort: 443, toPort: 443 })], four(132, 443), 0],
    ['UDP-Lite has', [ruleEntry({ protocol: 136, fromPort: 443, toPort: 443 })], four(136, 443), 0],
    ['DCCP has', [ruleEntry({ protocol: 33, fromPort: 443, toPort: 443 })], four(33, 443), 0],
    ['GRE has none', [ruleEntry({ protocol: 47, fromPort: 443, toPort: 443 })], four(47, 443), 'acl'],
    ['unknown ports pass over a rule with some', [no({ fromPort: 1 }), all], four(47, 443), 0],
  ];

  test.each(table)('%s', (_, rules, [up, down], expected) => {
    const bench = benchWith(rules === undefined ? {} : { rules });
    const client = testClient();
    bench.engine.outer(client.from(client.user(up)), at);
    bench.engine.inner(down, at);
    const passed = expected === 'acl' ? 0 : 1;
    expect(bench.drops()).toEqual(passed === 1 ? {} : { acl: 2 });
    expect([bench.got.inner.length, bench.got.outer.length]).toEqual([passed, passed]);
    const family = (up[0] ?? 0) >>> 4 === 6 ? 6 : 4;
    const accounting = bench.engine.report(SESSION, at)?.accounting ?? [];
    const wanted = new Array<number>(32).fill(0);
    if (expected !== 'acl') {
      wanted.splice(accountIndex({ direction: 'from-peer', family, class: expected }), 2, 1, up.length);
      wanted.splice(accountIndex({ direction: 'to-peer', family, class: expected }), 2, 1, down.length);
    }
    expect(accounting).toEqual(wanted);
  });

  test('what a client may not do at all is said first, what the gateway answers is not asked', () => {
    const bench = benchWith({ rules: [], rateToPeer: { octetsPerSecond: 1, burstOctets: 1500 } });
    const client = testClient();
    bench.engine.outer(client.from(client.user(packet4('10.99.0.8', SERVER4))), at);
    bench.engine.outer(
      client.from(client.user(packet4(CLIENT4, '10.99.0.1', hex('0800f7fd00010001'), { protocol: 1 }))),
      at,
    );
    bench.engine.outer(
      client.from(client.user(packet6('fe80::2', 'ff02::2', hex('8500000000000000'), 58))),
      at,
    );
    expect(bench.drops()).toEqual({ 'inner-source': 1 });
    expect([bench.got.outer.length, bench.got.ppp.length]).toEqual([1, 1]);
  });
});

test('the accounts stand in the order that the contract says', () => {
  const all = (['from-peer', 'to-peer'] as const).flatMap((direction) =>
    ([4, 6] as const).flatMap((family) =>
      [0, 1, 2, 3].map((number) => accountIndex({ direction, family, class: number })),
    ),
  );
  expect(all).toEqual(Array.from({ length: 16 }, (_, index) => index * 2));
});

describe('rates', () => {
  const rate = { octetsPerSecond: 1_000, burstOctets: 1_500 };
  const up = packet4(CLIENT4, SERVER4, new Uint8Array(480));
  const down = packet4(SERVER4, CLIENT4, new Uint8Array(480));

  test.each(['rateFromPeer', 'rateToPeer'] as const)('%s counts octets of the inner packet', (which) => {
    const bench = benchWith({ [which]: rate });
    const client = testClient();
    const passed = (time: number) => {
      const { inner, outer } = bench.got;
      const before = inner.length + outer.length;
      if (which === 'rateFromPeer') bench.engine.outer(client.from(client.user(up)), time);
      else bench.engine.inner(down, time);
      return inner.length + outer.length - before;
    };
    expect([1, 2, 3, 4].map(() => passed(at))).toEqual([1, 1, 1, 0]);
    expect([passed(at + 499), passed(at + 500), passed(at + 500)]).toEqual([0, 1, 0]);
    // A clock that goes back gives nothing, and a long silence no more than the burst.
    expect(passed(at)).toBe(0);
    expect([1, 2, 3, 4].map(() => passed(at + 100_000))).toEqual([1, 1, 1, 0]);
    expect(bench.drops()).toEqual({ rate: 5 });
  });

  test('who takes too much takes nothing, so a smaller packet may still pass', () => {
    const bench = benchWith({ rateToPeer: rate });
    for (const size of [1_380, 480, 60, 0])
      bench.engine.inner(packet4(SERVER4, CLIENT4, new Uint8Array(size)), at);
    expect(bench.got.outer).toHaveLength(3);
    expect(bench.drops()).toEqual({ rate: 1 });
    expect(bench.engine.report(SESSION, at)?.octetsOut).toBe(1_400 + 80 + 20);
  });

  test('fragments are counted one by one', () => {
    const bench = benchWith({ rateToPeer: rate });
    bench.engine.inner(packet4(SERVER4, CLIENT4, new Uint8Array(1_580)), at);
    expect(bench.got.outer).toHaveLength(1);
    expect(bench.drops()).toEqual({ rate: 1 });
  });

  test('a link that is declared again keeps what was left, with another rate it begins anew', () => {
    const bench = benchWith({ rateToPeer: rate });
    const again = (octetsPerSecond: number, change = {}) =>
      bench.declare([linkEntry({ ...change, policy: { rateToPeer: { ...rate, octetsPerSecond } } })], at);
    const send = () => {
      const before = bench.got.outer.length;
      for (let count = 0; count < 4; count += 1) bench.engine.inner(down, at);
      return bench.got.outer.length - before;
    };
    expect(send()).toBe(3);
    again(1_000, { user: 'alice again' });
    expect(send()).toBe(0);
    again(1_001);
    expect(send()).toBe(3);
  });
});

describe('DSCP and ECN', () => {
  const NAMES = ['notEct', 'ect1', 'ect0', 'ce'] as const;
  const EF = 46;
  const marked = (packet: Uint8Array, ecn: number) => {
    setEcn(packet, ecn);
    return packet;
  };
  const cells = NAMES.flatMap((inner) => NAMES.map((outer) => [inner, outer] as const));

  test.each(cells)('RFC 6040 §4.2 through the engine: inner %s, outer %s', (inner, outer) => {
    for (const mode of ['L2TP', 'tunnel'] as const) {
      const sa = mode === 'L2TP' ? saEntry() : tunnelEntry();
      const bench = testBench(mode === 'L2TP' ? [sa, callEntry(), linkEntry()] : [sa, tunnelLink()]);
      const client = testClient(sa);
      for (const packet of [packet4(CLIENT4, SERVER4), packet6(CLIENT6, SERVER6)]) {
        marked(packet, Ecn[inner]);
        const sealed = mode === 'L2TP' ? client.user(packet) : client.tunneled(packet);
        // The outer DSCP stays outside.
        bench.engine.outer(client.from(sealed, 61_000, (EF << 2) | Ecn[outer]), at);
      }
      const dropped = inner === 'notEct' && outer === 'ce';
      expect(bench.drops()).toEqual(dropped ? { ecn: 2 } : {});
      const severe = outer === 'ce' || (outer === 'ect1' && inner === 'ect0') ? outer : inner;
      const left = inner === 'notEct' ? 'notEct' : severe;
      expect(bench.got.inner.map(trafficClassOf)).toEqual(dropped ? [] : [Ecn[left], Ecn[left]]);
      if (!dropped) expect(parseIpv4(bench.got.inner[0] ?? hex('')).ok).toBe(true);
    }
  });

  test('towards the client: the inner DSCP or the link’s; ECN in tunnel mode only', () => {
    const inner = (EF << 2) | Ecn.ect0;
    const tosOf = (tunnel: boolean, policy: LinkPolicy) => {
      const bench = tunnel
        ? testBench([tunnelEntry(), tunnelLink({ policy })])
        : testBench([saEntry(), callEntry(), linkEntry({ policy })]);
      const six = packet6(SERVER6, CLIENT6);
      viewOf(six).setUint32(0, 0x6000_0000 + inner * 2 ** 20);
      const four = packet4(SERVER4, CLIENT4);
      four[1] = inner;
      viewOf(four).setUint16(10, viewOf(four).getUint16(10) - inner);
      for (const packet of [four, six]) bench.engine.inner(packet, at);
      return bench.got.outer.map(({ tos }) => tos);
    };
    expect(tosOf(false, {})).toEqual([EF << 2, EF << 2]);
    expect(tosOf(true, {})).toEqual([inner, inner]);
    expect(tosOf(false, { dscp: 8 })).toEqual([32, 32]);
    expect(tosOf(true, { dscp: 0 })).toEqual([2, 2]);
  });

  test('control messages of ours are CS6, those that had to wait too', () => {
    const bench = testBench([]);
    bench.engine.declare({ session: SESSION, bucket: 'ike', entries: [saEntry()] }, at);
    bench.engine.declare({ session: SESSION, bucket: 'l2tp', entries: [callEntry()] }, at);
    const octets = new Uint8Array(12);
    emitControlHeader({ tunnelId: 11, sessionId: 0, ns: 3, nr: 2 }, 12, octets);
    bench.engine.l2tp({ session: SESSION, innerPorts: { local: 1701, remote: 1701 }, octets }, at);
    bench.grantAll();
    bench.engine.ppp({ session: SESSION, call: 12, octets: hex('c02101010004') }, at);
    expect(bench.got.outer.map(({ tos }) => tos)).toEqual([0xc0, 0xc0]);
  });
});
