import { describe, expect, test } from 'vitest';
import { inWorld } from '../../sim/index.ts';
import { CALL, type Dialled, type DialOptions, type PppWorld, pppWorld, YAML } from './world.ts';

type Scene = PppWorld & { dial(options?: DialOptions): Dialled };

async function dialIn(gateway: Scene, options: DialOptions = {}): Promise<Dialled> {
  const dialled = gateway.dial(options);
  await gateway.world.promised(
    gateway.request({ type: 'link.start', call: CALL, callingStation: '198.51.100.7' }),
  );
  await gateway.world.run(5);
  dialled.client.start();
  await gateway.world.run(20_000);
  return dialled;
}

function scene(name: string, yaml: string, body: (gateway: Scene) => Promise<void>): void {
  test(name, () => inWorld({ seed: 11 }, async (world) => body(await pppWorld(world, yaml))));
}

/** Lines that an operator reads without asking for more. */
function warnings({ ppp, aaa }: Scene) {
  return [...ppp.telemetry.lines, ...aaa.telemetry.lines].filter((line) => line.level === 'warn');
}

async function nothingLeft(gateway: Scene): Promise<void> {
  const bucket = await gateway.world.promised(gateway.ppp.bus.bucket('culvert_ppp'));
  const keys: string[] = [];
  await gateway.world.promised(bucket.watch('>', (entry) => void (entry.value && keys.push(entry.key))));
  await gateway.world.run(100);
  expect(keys).toEqual([]);
}

describe("refusals are the protocol's own, with one line for the operator", () => {
  for (const [method, refusal] of [
    ['ms-chap-v2', 'CHAP Failure E=691 R=0'],
    ['chap-md5', 'CHAP Failure Authentication failed'],
    ['pap', 'PAP Nak Authentication failed'],
  ] as const) {
    for (const [name, user] of [
      ['a wrong password', 'carol'],
      ['an unknown user', 'mallory'],
    ] as const) {
      scene(`${name} by ${method}`, YAML, async (gateway) => {
        const { client } = await dialIn(gateway, { user, password: 'guess', profile: { auth: [method] } });
        expect(client.refusal).toBe(refusal);
        expect(gateway.wire).toContain('<-- LCP Terminate-Request');
        expect(gateway.disconnects).toMatchObject([{ call: CALL, reason: 'authentication-failed' }]);
        expect(warnings(gateway)).toHaveLength(1);
        await nothingLeft(gateway);
      });
    }
  }

  const full = YAML.replace('10.98.0.0/22', '10.98.0.0/30').replace(
    'chap: true',
    'chap: true, ipv4: 10.98.0.2',
  );
  scene('an exhausted pool: authenticated, then terminated', full, async (gateway) => {
    await dialIn(gateway);
    // The client has begun IPCP already; nobody answers that any more.
    expect(gateway.wire.filter((line) => !line.includes('IPCP')).slice(-4)).toEqual([
      '--> CHAP Response',
      '<-- CHAP Success',
      '<-- LCP Terminate-Request',
      '--> LCP Terminate-Ack',
    ]);
    expect(gateway.disconnects).toMatchObject([{ reason: 'no-address' }]);
    await nothingLeft(gateway);
  });

  scene(
    'a client that will do none of our methods',
    YAML.replace('dns:', 'authentication: [ms-chap-v2, chap-md5], dns:'),
    async (gateway) => {
      await dialIn(gateway, { profile: { auth: ['pap'] } });
      expect(gateway.disconnects).toMatchObject([{ reason: 'authentication-failed' }]);
      expect(warnings(gateway)).toMatchObject([
        { message: 'link ended: the client accepts none of ms-chap-v2, chap-md5' },
      ]);
      await nothingLeft(gateway);
    },
  );
});

describe('a link ends', () => {
  scene('when the client closes it', YAML, async (gateway) => {
    const { client } = await dialIn(gateway);
    client.hangUp();
    await gateway.world.run(5_000);
    expect(gateway.wire.slice(-2)).toEqual(['--> LCP Terminate-Request', '<-- LCP Terminate-Ack']);
    expect(gateway.disconnects).toMatchObject([{ reason: 'peer-closed' }]);
    await nothingLeft(gateway);
  });

  scene('when the operator wants it', YAML, async (gateway) => {
    const { ended } = await dialIn(gateway);
    expect(ended).toBeUndefined();
    await gateway.world.promised(gateway.request({ type: 'link.close', call: CALL, reason: 'operator' }));
    await gateway.world.run(5_000);
    expect(gateway.wire.slice(-2)).toEqual(['<-- LCP Terminate-Request', '--> LCP Terminate-Ack']);
    expect(gateway.disconnects).toMatchObject([{ reason: 'operator' }]);
    expect(warnings(gateway)).toEqual([]);
    await nothingLeft(gateway);
  });

  scene('when the call is gone: nothing more is sent', YAML, async (gateway) => {
    await dialIn(gateway);
    const before = gateway.frames.length;
    await gateway.world.promised(gateway.request({ type: 'link.stop', call: CALL, reason: 'session-ended' }));
    await gateway.world.run(60_000);
    expect(gateway.frames.length).toBe(before);
    expect(gateway.disconnects).toEqual([]);
    await nothingLeft(gateway);
  });

  scene(
    'when the client vanishes: four Echo-Requests, then two Terminate-Requests',
    YAML,
    async (gateway) => {
      const dialled = await dialIn(gateway);
      dialled.deaf = true;
      const before = gateway.wire.length;
      await gateway.world.run(200_000);
      expect(gateway.wire.slice(before)).toEqual([
        ...Array.from({ length: 4 }, () => '<-- LCP Echo-Request'),
        '<-- LCP Terminate-Request',
        '<-- LCP Terminate-Request',
      ]);
      expect(gateway.disconnects).toMatchObject([{ reason: 'peer-silent' }]);
      await nothingLeft(gateway);
    },
  );

  scene('when nobody answers LCP', YAML, async (gateway) => {
    gateway.dial().deaf = true;
    await gateway.world.promised(
      gateway.request({ type: 'link.start', call: CALL, callingStation: '198.51.100.7' }),
    );
    await gateway.world.run(60_000);
    expect(gateway.wire).toHaveLength(10);
    expect(gateway.disconnects).toMatchObject([{ reason: 'peer-silent' }]);
    expect(warnings(gateway)).toMatchObject([{ message: 'link ended: the client does not answer LCP' }]);
    await nothingLeft(gateway);
  });

  const limited = YAML.replace('name: alice,', 'name: alice, sessionTimeoutSeconds: 60,');
  scene("when the user's time is over", limited, async (gateway) => {
    await dialIn(gateway);
    await gateway.world.run(60_000);
    expect(gateway.disconnects).toMatchObject([{ reason: 'lifetime' }]);
    await nothingLeft(gateway);
  });
});
