import { NOTIFY } from '@culvert/wire/ike';
import { protocols } from '@culvert/wire/ppp';
import { describe, expect, test } from 'vitest';
import { android4, android7, macos, networkManager, type PeerProfile, windows10 } from '../peer/profile.ts';
import { inWorld } from '../sim/index.ts';
import { dialIn } from './dial-in.ts';
import { DEFAULTS, simGateway } from './gateway.ts';

const NATTED = '10.1.1.2';

interface Expected {
  readonly phase1: string;
  readonly phase2: string;
  /** NCPs that the gateway answers with Protocol-Reject. */
  readonly rejected: readonly number[];
}

const CLIENTS: readonly (readonly [PeerProfile, Expected])[] = [
  [
    windows10,
    {
      phase1: 'aes-cbc-256 sha1 20',
      phase2: 'aes-cbc-256 sha1',
      rejected: [protocols.ipv6cp, protocols.ccp],
    },
  ],
  [
    macos,
    {
      phase1: 'aes-cbc-256 sha2-256 14',
      phase2: 'aes-cbc-256 sha2-256',
      rejected: [protocols.ipv6cp, protocols.acsp],
    },
  ],
  [networkManager, { phase1: 'aes-cbc-256 sha2-256 14', phase2: 'aes-cbc-256 sha1', rejected: [] }],
];

describe.each(CLIENTS)('$name, its own offer in its own order', (profile, expected) => {
  test.each([false, true])('behind a NAT: %s', async (natted) => {
    await inWorld({ seed: 2 }, async (world) => {
      const gateway = await simGateway(world);
      const address = natted ? NATTED : '198.51.100.7';
      if (natted) world.network.nat('198.51.100.9', [address]);
      const { client, faults } = await dialIn(world, { address, profile });
      expect(faults).toEqual([]);
      expect(client.up ? '' : gateway.lines()).toBe('');
      expect(client.ike.phase1?.join(' ')).toBe(expected.phase1);
      expect(client.ike.phase2?.join(' ')).toBe(expected.phase2);
      await world.run(5_000);
      expect(client.ppp.rejected.toSorted()).toEqual([...expected.rejected].toSorted());
      // It stays up: its own keepalives and ours are answered.
      await world.run(10 * 60_000);
      expect(client.up).toBe(true);
    });
  });
});

describe.each([android7, android4])('$name offers only MODP1024', (profile) => {
  test('is refused with an explanation, in one line', async () => {
    await inWorld({ seed: 3 }, async (world) => {
      const gateway = await simGateway(world);
      const { client } = await dialIn(world, { address: NATTED, profile });
      expect(client.up).toBe(false);
      expect(client.ike.notified).toContain(NOTIFY['NO-PROPOSAL-CHOSEN']);
      const lines = gateway.lines().filter((line) => /offered/.test(line));
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/MODP1024/);
      expect(lines[0]).toMatch(/Android/);
      expect(lines[0]).toMatch(/allowed/);
      expect(lines[0]).toMatch(/nearest/);
    });
  });

  test('connects once the legacy group is allowed', async () => {
    await inWorld({ seed: 4 }, async (world) => {
      const gateway = await simGateway(world, `${DEFAULTS}ike: { legacy: { modp1024: true } }\n`);
      const { client, faults } = await dialIn(world, { address: NATTED, profile });
      expect(faults).toEqual([]);
      expect(client.up ? '' : gateway.lines()).toBe('');
      expect(client.ike.phase1?.[2]).toBe(2);
    });
  });
});
