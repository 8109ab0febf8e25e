import { describe, expect, test } from 'vitest';
import { ConfigFaults, type Fault, newPsk, parseConfig } from '../index.ts';

const KEY = 'q7ma-x2dv-9ktp-w4hc-z6nb-e8ys-3rgf-u5jk';
const psks = `psks: [{ name: office, secret: "${KEY}" }]`;

function faultsOf(text: string): readonly Fault[] {
  try {
    parseConfig(text, '/');
  } catch (error) {
    if (error instanceof ConfigFaults) return error.faults;
    throw error;
  }
  return [];
}

const table = (rows: readonly [text: string, field: string, problem: string][]) =>
  test.each(rows)('%s', (text, field, problem) => {
    expect(faultsOf(`${psks}\n${text}`)).toMatchObject([{ field, problem, line: 2 }]);
  });

describe('listeners', () => {
  table([
    [
      'listen: [{ name: a, addresses: [192.0.2.1] }, { name: a, addresses: [192.0.2.2] }]',
      'listen[1].name',
      'is also the name of listen[0]',
    ],
    [
      'listen: [{ addresses: [0.0.0.0] }, { name: b, addresses: [192.0.2.2] }]',
      'listen[1].addresses[0]',
      'is already taken by listen[0].addresses[0]',
    ],
    [
      'listen: [{ addresses: ["::", "0::0"] }]',
      'listen[0].addresses[1]',
      'is already taken by listen[0].addresses[0]',
    ],
    ['listen: [{ ikePort: 4500 }]', 'listen[0].natTraversalPort', 'equals ikePort'],
  ]);

  test('two with the same address and other ports get along', () => {
    expect(faultsOf(`${psks}\nlisten: [{}, { name: b, ikePort: 501, natTraversalPort: 4501 }]`)).toEqual([]);
  });
});

describe('addresses', () => {
  table([
    ['pool: { ipv4: 10.0.0.0/31 }', 'pool.ipv4', 'is too small'],
    ['pool: { ipv4: 127.0.0.0/24 }', 'pool.ipv4', 'holds addresses that hosts cannot have'],
    ['pool: { ipv6: "2001:db8::/65" }', 'pool.ipv6', 'is too small'],
    ['pool: { gateway4: 10.99.0.1 }', 'pool.gateway4', 'is not a host address inside 10.98.0.0/22'],
    ['pool: { gateway4: 10.98.0.0 }', 'pool.gateway4', 'is not a host address inside 10.98.0.0/22'],
    ['pool: { gateway4: 10.98.3.255 }', 'pool.gateway4', 'is not a host address inside 10.98.0.0/22'],
    ['listen: [{ addresses: [10.98.1.1] }]', 'listen[0].addresses[0]', 'lies inside the pool'],
    ['routes: { corporate: [10.0.0.0/8] }', 'routes.corporate[0]', 'overlaps the pool'],
    ['routes: { corporate: [10.98.2.0/24] }', 'routes.corporate[0]', 'overlaps the pool'],
    ['ppp: { dns6: ["2001:db8::53"] }', 'ppp.dns6', 'has no effect without an IPv6 pool'],
  ]);

  test('a default route is no overlap', () => {
    expect(faultsOf(`${psks}\nroutes: { corporate: [0.0.0.0/0] }`)).toEqual([]);
  });
});

describe('l2tp', () => {
  table([
    [
      'l2tp: { tunnelsPerSessionMax: 4, callsPerTunnelMax: 3 }',
      'l2tp.callsPerTunnelMax',
      'makes more than 8 calls per session',
    ],
    ['l2tp: { receiveWindow: 9 }', 'l2tp.receiveWindow', 'is too large'],
  ]);
});

describe('users', () => {
  table([
    [
      'users: [{ name: a, password: x }, { name: a, password: y }]',
      'users[1].name',
      'is also the name of users[0]',
    ],
    ['users: [{ name: a }]', 'users[0].password', 'is missing'],
    [
      'users: [{ name: a, password: x, ipv4: 10.98.0.1 }]',
      'users[0].ipv4',
      'is the gateway, network or broadcast address of the pool',
    ],
    [
      'users: [{ name: a, password: x, ipv4: 192.0.2.9 }]',
      'users[0].ipv4',
      'is no address of the pool 10.98.0.0/22',
    ],
    [
      'users: [{ name: a, password: x, ipv4: 10.98.0.9 }, { name: b, password: x, ipv4: 10.98.0.9 }]',
      'users[1].ipv4',
      'belongs to users[0]',
    ],
  ]);

  test('CHAP-MD5 alone needs users that keep what it needs', () => {
    const text = `${psks}\nusers: [{ name: a, password: x }]\nppp: { authentication: [chap-md5] }`;
    expect(faultsOf(text)).toMatchObject([
      { field: 'users[0]', problem: 'cannot sign in: only chap-md5 is offered' },
    ]);
    expect(faultsOf(text.replace('password: x', 'password: x, chap: true'))).toEqual([]);
  });

  test('a secret kept for a method that is not offered', () => {
    const text = `${psks}\nusers: [{ name: a, password: x, chap: true }]\nppp: { authentication: [pap] }`;
    expect(faultsOf(text)).toMatchObject([{ field: 'users[0].chap', problem: 'has no effect', line: 2 }]);
  });

  test('a method is listed once', () => {
    expect(faultsOf(`${psks}\nppp: { authentication: [pap, pap] }`)).toMatchObject([
      { field: 'ppp.authentication[1]' },
    ]);
  });
});

describe('limits', () => {
  table([
    [
      'ike: { dpd: { intervalSeconds: 60, timeoutSeconds: 60 } }',
      'ike.dpd.timeoutSeconds',
      'does not exceed intervalSeconds',
    ],
    ['ike: { halfOpenMax: 50 }', 'ike.halfOpenPerSourceMax', 'exceeds halfOpenMax'],
    ['ike: { identity: "a b" }', 'ike.identity', 'is neither an address nor a domain name'],
    ['l2tp: { retransmitMs: 8000, retransmitCapMs: 1000 }', 'l2tp.retransmitCapMs', 'is below retransmitMs'],
    ['l2tp: { hideAvps: true }', 'l2tp.hideAvps', 'needs a tunnel secret (RFC 2661 §4.3)'],
    ['ppp: { mru: 1450 }', 'ppp.mru', 'does not fit into edge.outerMtu'],
    [
      'telemetry: { prometheus: "127.0.0.1:65533" }',
      'telemetry.prometheus',
      'leaves no room for the other services',
    ],
  ]);
});

describe('nats', () => {
  table([
    ['nats: { embedded: true, url: "nats://a:4222" }', 'nats.embedded', 'contradicts nats.url'],
    ['nats: { embedded: false }', 'nats.embedded', 'leaves no server'],
    ['nats: { url: "nats://u:p@a:4222" }', 'nats.url', 'holds a user or password'],
    ['nats: { user: u }', 'nats.user', 'has no effect without nats.url'],
    ['nats: { url: "nats://a:4222", password: p }', 'nats.user', 'is missing'],
    ['nats: { url: "tls://a:4222", caFile: /none/ca.pem }', 'nats.caFile', 'cannot be read'],
  ]);

  test('an external server', () => {
    const config = parseConfig(`${psks}\nnats: { url: "nats://a:4222", user: u, password: p }`, '/');
    expect(config.nats).toMatchObject({ embedded: false, url: 'nats://a:4222', user: 'u' });
  });
});

describe('PSKs', () => {
  const keys = Array.from({ length: 6 }, () => newPsk());
  const list = (extra: (index: number) => string) =>
    `psks:\n${keys.map((key, index) => `  - { name: k${index}, secret: "${key}"${extra(index)} }`).join('\n')}`;

  test('four candidates are the most for one listener and prefix', () => {
    expect(faultsOf(list(() => ''))).toMatchObject([
      { field: 'psks[4]', problem: expect.stringContaining('candidate number 5') },
    ]);
    expect(faultsOf(list((index) => (index < 2 ? ', remotes: [192.0.2.0/24]' : '')))).toMatchObject([
      { field: 'psks[4]', problem: 'is candidate number 5 for clients from 192.0.2.0/24 on listener main' },
    ]);
    expect(faultsOf(list((index) => `, remotes: [192.0.${index}.0/24]`))).toEqual([]);
    expect(
      faultsOf(list((index) => (index < 3 ? ', remotes: ["2001:db8::/32"]' : ', remotes: [192.0.2.0/24]'))),
    ).toEqual([]);
  });

  test('listeners part the candidates', () => {
    const listen = 'listen: [{ name: a, addresses: [192.0.2.1] }, { name: b, addresses: [192.0.2.2] }]';
    expect(faultsOf(`${listen}\n${list((index) => `, listeners: [${index % 2 ? 'a' : 'b'}]`)}`)).toEqual([]);
  });

  test('names, keys and listeners are checked', () => {
    const text = `psks:\n  - { name: a, secret: "${KEY}" }\n  - { name: a, secret: "${KEY}", listeners: [mian] }`;
    expect(faultsOf(text).map(({ field, problem }) => [field, problem])).toEqual([
      ['psks[1].name', 'is also the name of psks[0]'],
      ['psks[1].listeners[0]', 'is not a listener'],
      ['psks[1].secret', 'is the key of psks[0] too'],
    ]);
  });
});
