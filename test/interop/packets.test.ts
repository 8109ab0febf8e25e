import { beforeAll, expect, test } from 'vitest';
import { labOf } from './dial-in.ts';
import type { Connection, Dialler } from './lab/client.ts';
import { attempt, until } from './lab/command.ts';
import { startEcho } from './lab/echo.ts';
import { ADDRESSES } from './lab/network.ts';
import { filterAt } from './lab/packet-filter.ts';
import { strongswan } from './lab/strongswan.ts';
import { datagrams, longestPause, ping, route } from './lab/traffic.ts';

const lab = labOf('packets', 'auto');
const MRU = 1400;
/** RFC 791, RFC 792. */
const IP_AND_ICMP_OCTETS = 28;
/** As ping's -Q takes it: the DSCP above the two ECN bits (RFC 2474 §3, RFC 3168 §5). */
const EF = 46 << 2;
const ECT_0 = 2;

let dialler: Dialler;
let connection: Connection;

beforeAll(async () => {
  dialler = await lab().dialler(1, 'lan', strongswan);
  connection = await dialler.connect();
  await route(dialler.guest);
});

test('64 MiB of TCP go to the client and come back octet by octet', async () => {
  const octets = 64 << 20;
  const echo = await startEcho(lab().network, lab().directory, { port: 7001, octets });
  await echo.run(dialler.guest, 180_000);
  const [report] = await until('the echo host to say so', 5_000, async () =>
    echo.read().every(({ ended }) => ended !== undefined) ? echo.read() : undefined,
  );
  expect(report).toMatchObject({ octets, ended: 'complete' });
  expect(report?.wrongAt).toBeUndefined();
  console.log(`64 MiB both ways at once: ${((octets * 8) / (report?.seconds ?? 0) / 1e6).toFixed(0)} Mbit/s`);
});

test('packets of the MRU go through whole, longer ones are refused with its size (RFC 1191 §4)', async () => {
  const longest = MRU - IP_AND_ICMP_OCTETS;
  expect(await ping(dialler.guest, ADDRESSES.corporate.host, 5, longest, '-M do')).toBe(5);
  const pinging = (octets: number) =>
    attempt(
      ...lab().network.within(
        'corporate',
        ...['ping', '-n', '-i', '0.2', '-c', '3', '-W', '2', '-M', 'do', '-s', `${octets}`],
        connection.address,
      ),
    );
  expect((await pinging(longest)).output).toMatch(/ 3 received/);
  expect((await pinging(longest + 1)).output).toMatch(new RegExp(`mtu ?= ?${MRU}\\b`));
});

for (const direction of ['up', 'down'] as const) {
  // Down, what the corporate host cut for its own link is too long for the client's and is cut again.
  test(`UDP datagrams of three fragments arrive ${direction}`, async () => {
    const { packets, lost } = await datagrams(dialler.guest, direction, { octets: 4_000, megabits: 8 });
    expect(packets).toBeGreaterThan(400);
    expect(lost).toBeLessThan(packets / 100);
  });
}

test('a NAT that gives another port during a transfer loses no connection', async () => {
  const moves = async (): Promise<number> => {
    const { services } = (await lab().gateway.ask('status')) as Status;
    return services.edge?.counters['edge.packets{kind=moves}'] ?? 0;
  };
  const echo = await startEcho(lab().network, lab().directory, { port: 7002, megabits: 20 });
  const stop = await echo.keep(dialler.guest);
  await echo.carry(2e6);
  const before = await moves();
  // Only a packet of the client's says where it is now, and when TCP has just had all its answers it waits for the
  // other side: up to 20 s, until IKE keeps its NAT alive.
  const pings = longestPause(dialler.guest, ADDRESSES.corporate.host, { perSecond: 5, seconds: 6 });
  await echo.carry(2e6);
  await lab().network.forgetTranslations();
  await echo.carry(5e6);
  expect(await pings).toBeLessThan(3_000);
  expect(await moves()).toBe(before + 1);
  const [report, ...others] = echo.read();
  await stop();
  expect(others).toEqual([]);
  expect(report).not.toHaveProperty('ended');
  expect(report?.wrongAt).toBeUndefined();
  expect(report?.longestGapMs).toBeLessThan(3_000);
  console.log(`another port of the NAT: ${report?.longestGapMs} ms without an octet`);
});

test('the outer header has the DSCP of the inner one, and no ECN of it (RFC 2983 §3, RFC 9601)', async () => {
  const filter = await filterAt(lab().network, 'router', 'forward');
  const marked = await filter.count('iifname "outside" ip dscp ef');
  const capable = await filter.count('iifname "outside" ip dscp ef ip ecn != not-ect');
  const [program, args] = lab().network.within(
    'corporate',
    ...['ping', '-n', '-i', '0.2', '-c', '5', '-W', '2', '-Q', `${EF | ECT_0}`, connection.address],
  );
  expect((await attempt(program, args)).output).toMatch(/ 5 received/);
  expect(await marked()).toBe(5);
  expect(await capable()).toBe(0);
  await filter.close();
});

test('congestion that the outer header met reaches the inner one or drops it (RFC 6040 §4.2)', async () => {
  const router = await filterAt(lab().network, 'router', 'forward');
  const corporate = await filterAt(lab().network, 'corporate', 'input');
  const experienced = await corporate.count('icmp type echo-request ip ecn ce');
  await router.change('iifname "lan" udp dport 4500 ip ecn set ce');
  expect(await ping(dialler.guest, ADDRESSES.corporate.host, 5, 56, `-Q ${ECT_0}`)).toBe(5);
  expect(await experienced()).toBe(5);
  expect(await ping(dialler.guest, ADDRESSES.corporate.host, 3)).toBe(0);
  await router.close();
  expect(await ping(dialler.guest, ADDRESSES.corporate.host)).toBe(5);
  await corporate.close();
});

interface Status {
  readonly services: Readonly<Record<string, { readonly counters: Readonly<Record<string, number>> }>>;
}
