import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { labOf } from './dial-in.ts';
import { until } from './lab/command.ts';
import { ADDRESSES } from './lab/network.ts';
import { strongswan } from './lab/strongswan.ts';
import { ping, route } from './lab/traffic.ts';

const USER = { name: 'alice', password: 'pass one', chap: true };
const lab = labOf('policy', 'auto', {
  users: [USER],
  pool: {
    ipv4: ADDRESSES.pool.prefix,
    gateway4: ADDRESSES.pool.gateway,
    ipv6: ADDRESSES.pool6,
  },
  routes: { corporate: [ADDRESSES.corporate.prefix, ADDRESSES.corporate6.prefix] },
});

test('IPV6CP and a router advertisement give a client an address of its own /64', async () => {
  const dialler = await lab().dialler(1, 'lan', strongswan, { ppp: '+ipv6' });
  // The kernel takes routes and addresses from an advertisement only where it does not forward.
  await dialler.guest.must('sysctl -qw net.ipv6.conf.default.accept_ra=2');
  await dialler.connect();
  const address = await until('an address from an advertisement', 15_000, async () => {
    const { output } = await dialler.guest.attempt('ip -6 -o address show dev ppp0 scope global');
    return /inet6 (2001:db8:98:\S+)\//.exec(output)?.[1];
  });
  expect(address).toMatch(/^2001:db8:98:/);
  await dialler.guest.must(`ip -6 route replace ${ADDRESSES.corporate6.prefix} dev ppp0`);
  expect(await ping(dialler.guest, ADDRESSES.corporate6.host)).toBe(5);
  await route(dialler.guest);
  expect(await ping(dialler.guest, ADDRESSES.corporate.host)).toBe(5);
  await dialler.disconnect();
});

const REFUSED = {
  'CHAP-MD5': 'refuse-eap\nrefuse-mschap-v2\nrefuse-mschap\nrefuse-pap',
  PAP: 'refuse-eap\nrefuse-mschap-v2\nrefuse-mschap\nrefuse-chap',
} as const;

for (const [method, ppp] of Object.entries(REFUSED)) {
  test(`a client that knows only ${method} connects`, async () => {
    const dialler = await lab().dialler(1, 'lan', strongswan, { ppp });
    await dialler.connect();
    await route(dialler.guest);
    expect(await ping(dialler.guest, ADDRESSES.corporate.host)).toBe(5);
    await dialler.disconnect();
  });
}

test('a wrong password is refused in PPP, and both sides are told', async () => {
  const dialler = await lab().dialler(1, 'lan', strongswan, { password: 'wrong' });
  await expect(dialler.connect()).rejects.toThrow(/an address of guest1/);
  expect(await dialler.words()).toMatch(/CHAP authentication failed/);
  expect(operatorLog()).toMatch(/"reason":"wrong-password".*"msg":"login refused"/);
  await dialler.guest.must(strongswan.down);
  await until('the session to end', 15_000, async () => ((await lab().sessions()) === 0 ? true : undefined));
});

test('a wrong key gets silence, and the operator the likely reason', async () => {
  const dialler = await lab().dialler(1, 'lan', strongswan, { psk: 'guessed' });
  expect((await dialler.guest.attempt(`timeout 12 ${strongswan.up}`, 30_000)).status).not.toBe(0);
  expect(await dialler.established()).toEqual({ isakmp: 0, ipsec: 0 });
  // Said when the half-open exchange is given up, for until then the right message may still come.
  await until('the likely reason', 45_000, async () =>
    operatorLog().includes('PSK mismatch likely') ? true : undefined,
  );
  await until('nothing to be left', 30_000, async () => ((await lab().sessions()) === 0 ? true : undefined));
});

function operatorLog(): string {
  return readFileSync(lab().gateway.log, 'utf8');
}
