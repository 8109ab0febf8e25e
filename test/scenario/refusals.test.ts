import { describe, expect, test } from 'vitest';
import { modern, networkManager, type PeerProfile } from '../peer/profile.ts';
import { inWorld } from '../sim/index.ts';
import { dialIn } from './dial-in.ts';
import { DEFAULTS, PASSWORD, PSK, type SimGateway, simGateway } from './gateway.ts';

const withAuth = (auth: PeerProfile['ppp']['auth']): PeerProfile => ({
  ...modern,
  ppp: { ...modern.ppp, auth },
});

/** Warnings and errors of all services. */
function complaints(gateway: SimGateway): string[] {
  return gateway.lines().filter((line) => /"level":"?(warn|error|40|50)/.test(line));
}

describe('what a user gets wrong', () => {
  test('a wrong PSK: silence, a count, and the likely cause in the log', async () => {
    await inWorld({ seed: 10 }, async (world) => {
      const gateway = await simGateway(world);
      const { client } = await dialIn(world, { address: '198.51.100.2', psk: `${PSK}x` });
      expect(client.ike.stage).toBe('failed');
      expect(client.ike.notified).toEqual([]);
      expect(gateway.lines().filter((line) => /PSK mismatch likely/.test(line))).toHaveLength(1);
    });
  });

  test.each([
    ['ms-chap-v2', /E=691 R=0/],
    ['pap', /PAP Nak/],
  ] as const)(
    "a wrong password with %s: the protocol's own refusal and one line",
    async (method, refusal) => {
      await inWorld({ seed: 11 }, async (world) => {
        const gateway = await simGateway(world);
        const options = { address: '198.51.100.2', profile: withAuth([method]), password: 'wrong' };
        const { client } = await dialIn(world, options);
        expect(client.up).toBe(false);
        expect(client.ppp.refusal).toMatch(refusal);
        expect(complaints(gateway)).toHaveLength(1);
        expect(complaints(gateway)[0]).toMatch(/wrong-password/);
      });
    },
  );

  test('an unknown user', async () => {
    await inWorld({ seed: 12 }, async (world) => {
      const gateway = await simGateway(world);
      const { client } = await dialIn(world, { address: '198.51.100.2', user: 'mallory' });
      expect(client.up).toBe(false);
      expect(client.ppp.refusal).toMatch(/E=691/);
      expect(complaints(gateway)).toHaveLength(1);
      expect(complaints(gateway)[0]).toMatch(/mallory/);
    });
  });

  test('CHAP-MD5 is not offered for users without a CHAP secret, and works for those with one', async () => {
    await inWorld({ seed: 13 }, async (world) => {
      await simGateway(world);
      const { client } = await dialIn(world, { address: '198.51.100.2', profile: withAuth(['chap-md5']) });
      expect(client.up).toBe(false);
    });
    await inWorld({ seed: 14 }, async (world) => {
      await simGateway(world, DEFAULTS.replace(`"${PASSWORD}"`, `"${PASSWORD}", chap: true`));
      const { client } = await dialIn(world, { address: '198.51.100.2', profile: withAuth(['chap-md5']) });
      expect(client.up).toBe(true);
    });
  });

  test('PAP works inside IPsec when the policy allows it', async () => {
    await inWorld({ seed: 15 }, async (world) => {
      await simGateway(world);
      const { client } = await dialIn(world, { address: '198.51.100.2', profile: withAuth(['pap']) });
      expect(client.up).toBe(true);
    });
  });

  test('an exhausted pool: the link is refused, the operator told once', async () => {
    await inWorld({ seed: 16 }, async (world) => {
      const gateway = await simGateway(world, DEFAULTS.replace('10.98.0.0/22', '10.98.0.0/30'));
      const first = await dialIn(world, { address: '198.51.100.2' });
      expect(first.client.up).toBe(true);
      const second = await dialIn(world, { address: '198.51.100.3' });
      expect(second.client.up).toBe(false);
      expect(second.client.ended).toBeDefined();
      expect(complaints(gateway).filter((line) => /exhausted|no address/i.test(line))).toHaveLength(1);
      first.client.hangUp();
      await world.run(10 * 60_000);
      const third = await dialIn(world, { address: '198.51.100.4', profile: networkManager });
      expect(third.client.up).toBe(true);
    });
  });
});

test('no secret in any log line, span or counter, whatever happened', async () => {
  await inWorld({ seed: 17 }, async (world) => {
    const gateway = await simGateway(world);
    await dialIn(world, { address: '198.51.100.2' });
    await dialIn(world, { address: '198.51.100.3', profile: withAuth(['pap']), password: 'S3cretButWrong' });
    await dialIn(world, { address: '198.51.100.4', psk: `${PSK}x` });
    const spans = Object.values(gateway.runtimes).flatMap((runtime) => runtime.telemetry.spans);
    const all = JSON.stringify([gateway.lines(), spans, gateway.counters()]);
    for (const secret of [PSK, PASSWORD, 'S3cretButWrong']) {
      for (const encoding of ['utf8', 'hex', 'base64', 'utf16le'] as const) {
        const shown =
          encoding === 'utf8'
            ? secret
            : Buffer.from(secret, encoding === 'utf16le' ? 'utf16le' : 'utf8').toString(
                encoding === 'utf16le' ? 'hex' : encoding,
              );
        expect(all.includes(shown)).toBe(false);
      }
    }
  });
});
