import type {
  ForwardEntry,
  LinkEntry,
  LinkPolicy,
  PolicyRule,
  SaEntry,
  TrafficSelector,
} from '@culvert/contracts';
import { describe, expect, test } from 'vitest';
import { judged, refusalOf } from './entry-checks.ts';
import {
  CLIENT4,
  callEntry,
  linkEntry,
  packet4,
  ruleEntry,
  SERVER4,
  SESSION,
  saEntry,
  selectorEntry,
  testBench,
  testClient,
  tunnelEntry,
  tunnelLink,
} from './session-fixture.ts';

const at = 2000;

/** What a bus may bring, whatever the types say. */
const odd = (value: unknown) => value as never;
const sa = (change: { readonly [K in keyof SaEntry]?: unknown }) => saEntry(odd(change));
const selector = (change: Partial<TrafficSelector>) =>
  tunnelEntry({ tunnel: { local: [selectorEntry()], remote: [selectorEntry(change)] } });
const sides = (local: number, remote: number) =>
  tunnelEntry({
    tunnel: {
      local: new Array(local).fill(selectorEntry()),
      remote: new Array(remote).fill(selectorEntry()),
    },
  });
const link = (change: { readonly [K in keyof LinkEntry]?: unknown }) => linkEntry(odd(change));
const policy = (change: { readonly [K in keyof LinkPolicy]?: unknown }) => link({ policy: change });
const rule = (change: Partial<PolicyRule>) => policy({ rules: [ruleEntry(change)] });
const rate = (octetsPerSecond: number, burstOctets = 1_500) =>
  policy({ rateFromPeer: { octetsPerSecond, burstOctets } });
const keys = (encryption: number, integrity: number, salt: number) => ({
  encryption: new Uint8Array(encryption),
  integrity: new Uint8Array(integrity),
  salt: new Uint8Array(salt),
});
const flow = (address: string, port = 4500) => ({
  local: { address: '198.51.100.1', port: 4500 },
  remote: { address, port },
});
const prefix6 = (prefix: string, prefixLength = 64) =>
  link({ ipv6: { prefix, prefixLength, interfaceId: new Uint8Array(8) } });

const REFUSED: readonly (readonly [ForwardEntry, RegExp])[] = [
  [sa({ inboundSpi: 255 }), /reserved SPI/],
  [sa({ inboundSpi: 2 ** 32 }), /reserved SPI/],
  [sa({ outboundSpi: 0 }), /reserved SPI/],
  [
    sa({ encryption: 'aes-cbc-128', integrity: 'none', inbound: keys(16, 0, 0), outbound: keys(16, 0, 0) }),
    /without integrity/,
  ],
  [sa({ integrity: 'hmac-sha1-96' }), /own integrity/],
  [sa({ encryption: 'des-cbc', integrity: 'hmac-sha1-96' }), /unknown encryption/],
  [sa({ encryption: 'toString', integrity: 'hmac-sha1-96' }), /unknown encryption/],
  [sa({ encryption: 'aes-cbc-256', integrity: 'hmac-md5-96' }), /unknown integrity/],
  [
    sa({ encryption: 'aes-cbc-256', integrity: 'hmac-sha1-96', inbound: keys(32, 19, 0) }),
    /hmac-sha1-96 key/,
  ],
  [sa({ inbound: keys(31, 0, 4) }), /aes-gcm-16-256 key/],
  [sa({ outbound: keys(33, 0, 4) }), /aes-gcm-16-256 key/],
  [sa({ outbound: keys(32, 0, 3) }), /salt/],
  [sa({ flow: flow('203.0.113.256') }), /not an address/],
  [sa({ flow: flow('203.0.113.1', 65_536) }), /not a port/],
  [sa({ encapsulation: 'tcp' }), /encapsulation/],
  [sa({ selector: { localPort: 1701, remotePort: -1 } }), /not a port/],
  [sa({ expiresAt: Number.NaN }), /not a number/],
  [sa({ createdAt: Number.POSITIVE_INFINITY }), /not a number/],
  [sides(0, 1), /number of selectors/],
  [sides(1, 17), /number of selectors/],
  [selector({ protocol: 256 }), /not a protocol/],
  [selector({ protocol: -1 }), /not a protocol/],
  [selector({ fromPort: 2, toPort: 1 }), /ports/],
  [selector({ toPort: 65_536 }), /ports/],
  [selector({ from: 'here' }), /not an address/],
  [selector({ to: '2001:db8::1' }), /two families/],
  [selector({ from: '10.0.1.0', to: '10.0.0.255' }), /reversed/],
  [callEntry({ ours: { tunnel: 11, call: 0 } }), /Session ID/],
  [callEntry({ theirs: { tunnel: 65_536, call: 1 } }), /Session ID/],
  [callEntry({ innerPorts: { local: 1701, remote: 70_000 } }), /not a port/],
  [link({ call: 65_536 }), /not a call/],
  [link({ mtuToPeer: 0 }), /not an MTU/],
  [link({ mruFromPeer: 1.5 }), /not an MTU/],
  [link({ ipv4: { address: '10.99.0' } }), /IPv4 address/],
  [link({ ipv4: { address: '2001:db8::1' } }), /IPv4 address/],
  [prefix6('2001:db8:99:1:'), /IPv6 prefix/],
  [prefix6('10.0.0.0'), /IPv6 prefix/],
  [prefix6('2001:db8:99:1::', 56), /not a \/64/],
  [link({ routes: ['10.50.0.0/33'] }), /route/],
  [link({ routes: ['10.50.0.0/16', 'behind'] }), /route/],
  [link({ routes: new Array(65).fill('10.0.0.0/8') }), /too many routes/],
  [policy({ dscp: 64 }), /DSCP/],
  [policy({ dscp: 1.5 }), /DSCP/],
  [policy({ rules: new Array(257).fill(ruleEntry()) }), /too many rules/],
  [rule({ class: 4 }), /class/],
  [rule({ class: -1 }), /class/],
  [rule({ protocol: 256 }), /protocol/],
  [rule({ prefix: '10.0.0.0/' }), /prefix/],
  [rule({ fromPort: 81, toPort: 80 }), /ports/],
  [rule({ toPort: 65_536 }), /ports/],
  [rule({ permit: odd('yes') }), /permits/],
  [rate(0), /without octets/],
  [rate(1, 1_499), /burst/],
  [rate(Number.NaN), /not a number/],
  [rate(1, Number.POSITIVE_INFINITY), /not a number/],
  [odd({ ...linkEntry(), kind: 'bridge' }), /unknown kind/],
];

const TAKEN: readonly ForwardEntry[] = [
  saEntry(),
  saEntry({ esn: true, encapsulation: 'none' }),
  tunnelEntry(),
  sides(16, 16),
  selector({ from: '10.0.0.1', to: '10.0.0.1', fromPort: 65_535 }),
  callEntry(),
  linkEntry(),
  tunnelLink({ routes: ['10.1.0.0/16', '2001:db8::/48', '0.0.0.0/0', '192.0.2.1'] }),
  rule({ class: 3, protocol: 255, prefix: '::/0', fromPort: 0, toPort: 0 }),
  policy({ dscp: 63, rules: [], rateToPeer: { octetsPerSecond: 1, burstOctets: 1_500 } }),
];

test.each(REFUSED)('%#: %j is refused: %s', (entry, why) => {
  expect(refusalOf(entry)).toMatch(why);
});

test.each(TAKEN)('%# is taken', (entry) => {
  expect(refusalOf(entry)).toBeUndefined();
});

describe('a refused entry leaves what was there', () => {
  const user = (spi = saEntry().inboundSpi) => testClient(saEntry({ inboundSpi: spi }));
  const refusals = (bench: ReturnType<typeof testBench>) =>
    bench.got.events.flatMap((event) => (event.type === 'entry-refused' ? [event.why] : []));

  const badSas = REFUSED.filter(([entry]) => entry.kind === 'sa').filter(
    ([entry]) => entry.kind === 'sa' && entry.inboundSpi === saEntry().inboundSpi,
  );
  test.each(badSas)('an SA: %#', (bad) => {
    const bench = testBench();
    const client = user();
    const first = client.user(packet4(CLIENT4, SERVER4));
    bench.engine.outer(client.from(first), at);
    bench.declare([bad]);
    expect(refusals(bench)).toHaveLength(1);
    bench.engine.outer(client.from(first), at);
    bench.engine.outer(client.from(client.user(packet4(CLIENT4, SERVER4))), at);
    expect(bench.got.inner).toHaveLength(2);
    expect(bench.drops()).toEqual({ 'esp-replayed': 1 });
  });

  const badLinks = REFUSED.filter(([entry]) => entry.kind === 'link' && entry.call === linkEntry().call);
  test.each(badLinks)('a link: %#', (bad) => {
    const bench = testBench([saEntry(), callEntry(), linkEntry({ routes: ['10.1.0.0/16'] })]);
    const client = user();
    bench.declare([bad]);
    expect(refusals(bench)).toHaveLength(1);
    // Other buckets speak, and the link still stays; it is not refused again.
    bench.declare([saEntry(), callEntry()]);
    bench.engine.outer(client.from(client.user(packet4('10.1.0.1', SERVER4))), at);
    expect(bench.engine.inner(packet4(SERVER4, CLIENT4), at)).toBe(true);
    expect(bench.engine.inner(packet4(SERVER4, '10.1.0.1'), at)).toBe(true);
    expect([bench.got.inner.length, bench.got.outer.length]).toEqual([1, 2]);
    expect(refusals(bench)).toHaveLength(1);
    bench.engine.declare({ session: SESSION, bucket: 'ppp', entries: [] }, at);
    expect(bench.engine.inner(packet4(SERVER4, CLIENT4), at)).toBe(false);
  });

  test('a call, and the link on it', () => {
    const bench = testBench();
    bench.declare([callEntry({ innerPorts: { local: 1701, remote: 70_000 } })]);
    expect(refusals(bench)).toHaveLength(1);
    bench.engine.inner(packet4(SERVER4, CLIENT4), at);
    expect(bench.got.outer).toHaveLength(1);
  });

  test('a link without a call', () => {
    const bench = testBench([tunnelEntry(), tunnelLink()]);
    bench.declare([tunnelLink({ policy: { dscp: 64 } })]);
    bench.engine.inner(packet4(SERVER4, CLIENT4), at);
    expect(bench.got.outer).toHaveLength(1);
  });

  test('beside a bad form the good one counts, and a bad newcomer is nothing', () => {
    const bench = testBench();
    const good = linkEntry({ ipv4: { address: '10.99.0.9' } });
    bench.declare([good, linkEntry({ mtuToPeer: 0 })]);
    expect(bench.engine.inner(packet4(SERVER4, '10.99.0.9'), at)).toBe(true);
    expect(bench.engine.inner(packet4(SERVER4, CLIENT4), at)).toBe(false);
    bench.declare([saEntry(), saEntry({ inboundSpi: 0x0140_0777, outboundSpi: 1 })]);
    expect(bench.engine.report(SESSION, at)?.sas).toBe(1);
    expect(refusals(bench)).toHaveLength(2);
  });

  test('what is refused is said apart from what is kept', () => {
    const bad = saEntry({ inboundSpi: 0x0140_0777, outboundSpi: 1 });
    const verdict = judged([saEntry(), bad, callEntry(), tunnelLink({ mtuToPeer: 0 })]);
    expect(verdict.entries).toEqual([saEntry(), callEntry()]);
    expect(verdict.refusals).toHaveLength(2);
    expect(verdict.kept).toEqual({ sas: new Set([0x0140_0777]), calls: new Set(), links: new Set([0]) });
  });
});
