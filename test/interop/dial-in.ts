import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Cipher, cipherOf, ciphersOf, expectedOf } from './lab/cipher.ts';
import type { Connection, Dialler, IpsecClient } from './lab/client.ts';
import { until } from './lab/command.ts';
import { INTRANET } from './lab/corporate.ts';
import type { Changes } from './lab/gateway.ts';
import { FULL, type Lab, openLab, TRANSFER_SECONDS } from './lab/lab.ts';
import { ADDRESSES, type Place } from './lab/network.ts';
import type { Span } from './lab/traces.ts';
import { longestSilence, ping, route, transfer } from './lab/traffic.ts';

/**
 * Opens a lab before the tests of a file and closes it after them; a failed test prints everybody's words.
 * `usual` is the file's share of the ciphers.
 */
export function labOf(name: string, usual: Cipher, changes: Changes = {}): () => Lab {
  const cipher = cipherOf(usual);
  let lab: Lab | undefined;
  const opened = (): Lab => {
    if (lab === undefined) throw new Error('the lab did not open');
    return lab;
  };
  beforeAll(async () => {
    lab = await openLab(`${name}-${cipher}`, { edge: { cipher }, ...changes });
  });
  afterAll(() => lab?.close());
  beforeEach(({ onTestFailed }) => {
    onTestFailed(async () => console.log(await opened().words()));
  });
  test(`packets are sealed and opened by ${expectedOf(cipher)}`, async () => {
    for (const name of await ciphersOf(opened().gateway)) expect(name).toContain(expectedOf(cipher));
  });
  return opened;
}

/** What one kind of client does from one place, from dialling in to coming back. */
export function connects(lab: () => Lab, client: IpsecClient, place: Place, esp: string): void {
  const how = place === 'lan' ? 'behind NAT' : 'directly';
  describe(`${how}, with ${esp}`, () => {
    let dialler: Dialler;
    let connection: Connection;

    test('connects and gets an address and DNS', async () => {
      dialler = await lab().dialler(1, place, client, { esp });
      connection = await dialler.connect();
      expect(connection.address).toMatch(/^10\.98\.0\.\d+$/);
      expect(connection.address).not.toBe(ADDRESSES.pool.gateway);
      expect(connection.dns).toContain(ADDRESSES.corporate.host);
      await route(dialler.guest);
    });

    test('pings the corporate host, small and up to the MRU', async () => {
      expect(await ping(dialler.guest, ADDRESSES.corporate.host)).toBe(5);
      expect(await ping(dialler.guest, ADDRESSES.corporate.host, 5, 1372)).toBe(5);
    });

    test('resolves a name at the name server it was given', async () => {
      const { output } = await dialler.guest.attempt(
        `cp /etc/ppp/resolv.conf /etc/resolv.conf && getent ahostsv4 ${INTRANET}`,
      );
      expect(output).toContain(ADDRESSES.corporate.host);
    });

    for (const direction of ['up', 'down'] as const) {
      test(`moves TCP ${direction} for ${TRANSFER_SECONDS} s`, async () => {
        const moved = await transfer(dialler.guest, direction, TRANSFER_SECONDS);
        console.log(`${client.name} ${how}, TCP ${direction}: ${moved.megabitsPerSecond.toFixed(0)} Mbit/s`);
        expect(moved.bytes).toBeGreaterThan(1e6);
        expect(longestSilence(moved)).toBeLessThan(2);
      });
    }

    test('disconnects cleanly', async () => {
      await dialler.disconnect();
      await until('the session to end', 15_000, async () =>
        (await lab().sessions()) === 0 ? true : undefined,
      );
    });

    test('reconnects', async () => {
      await dialler.connect();
      await route(dialler.guest);
      expect(await ping(dialler.guest, ADDRESSES.corporate.host)).toBe(5);
      await dialler.disconnect();
    });
  });
}

export function rekeys(lab: () => Lab, client: IpsecClient): void {
  test('a Quick Mode rekey and an IKE rekey during a transfer lose no TCP connection', async () => {
    // Rekeys begin 8 s before these ends: Quick Modes every 12 s, a Main Mode at 22 s.
    const dialler = await lab().dialler(1, 'lan', client, { ikeLifetime: 30, espLifetime: 20 });
    await dialler.connect();
    await route(dialler.guest);
    const before = await dialler.established();
    const moved = await transfer(dialler.guest, 'down', FULL ? 90 : 32);
    const after = await dialler.established();
    expect(after.ipsec).toBeGreaterThan(before.ipsec);
    expect(after.isakmp).toBeGreaterThan(before.isakmp);
    // Charter 6: a renewed ISAKMP SA joins its session, it does not found another.
    expect(await lab().sessions()).toBe(1);
    expect(longestSilence(moved)).toBeLessThan(3);
    expect(await ping(dialler.guest, ADDRESSES.corporate.host)).toBe(5);
    await dialler.disconnect();
  });
}

export function traced(lab: () => Lab): void {
  test('one trace shows a set-up from the first IKE packet to IPCP opened', async () => {
    const trace = await until('a trace with IPCP opened', 20_000, async () =>
      [...lab().traces.read().values()].find((spans) => spans.some(opensIpcp)),
    );
    expect(new Set(trace.map(({ service }) => service))).toEqual(
      new Set(['culvert-edge', 'culvert-ike', 'culvert-l2tp', 'culvert-ppp', 'culvert-aaa']),
    );
    const [first] = trace;
    expect(first?.service).toBe('culvert-edge');
    // Everything hangs below something of the same trace, up to the one span without a parent.
    const known = new Set(trace.map(({ spanId }) => spanId));
    const loose = trace.filter(({ parentSpanId = '' }) => parentSpanId !== '' && !known.has(parentSpanId));
    expect(loose.map(({ service, name }) => `${service} ${name}`)).toEqual([]);
  });
}

function opensIpcp({ attributes }: Span): boolean {
  return /ipcp[^,]*> \S*opened/i.test(attributes['culvert.states'] ?? '');
}
