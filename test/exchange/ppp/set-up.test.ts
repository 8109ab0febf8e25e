import { describe, expect, test } from 'vitest';
import { android7, macos, windows10 } from '../../peer/profile.ts';
import { inWorld } from '../../sim/index.ts';
import { CALL, type Dialled, type DialOptions, type PppWorld, pppWorld, SESSION, YAML } from './world.ts';

type Scene = PppWorld & { dial(options?: DialOptions): Dialled };

async function dialIn(scene: Scene, options: DialOptions = {}): Promise<Dialled> {
  const dialled = scene.dial(options);
  await scene.world.promised(
    scene.request({ type: 'link.start', call: CALL, callingStation: '198.51.100.7' }),
  );
  await scene.world.run(5);
  dialled.client.start();
  await scene.world.run(2_000);
  return dialled;
}

function scene(name: string, yaml: string, body: (scene: Scene) => Promise<void>): void {
  test(name, () => inWorld({ seed: 7 }, async (world) => body(await pppWorld(world, yaml))));
}

describe('a client dials in', () => {
  scene('by MS-CHAPv2 (RFC 2759)', YAML, async (gateway) => {
    const { client } = await dialIn(gateway);
    expect(gateway.wire).toEqual([
      '<-- LCP Configure-Request(mru, authenticationProtocol, magicNumber)',
      '--> LCP Configure-Ack(mru, authenticationProtocol, magicNumber)',
      '--> LCP Configure-Request(mru, magicNumber, pfc, acfc)',
      '<-- LCP Configure-Ack(mru, magicNumber, pfc, acfc)',
      '<-- CHAP Challenge',
      '--> CHAP Response',
      '<-- CHAP Success',
      '--> IPCP Configure-Request(ipAddress 0.0.0.0, primaryDns 0.0.0.0, secondaryDns 0.0.0.0)',
      '<-- IPCP Configure-Request(ipAddress 10.98.0.1)',
      '--> IPCP Configure-Ack(ipAddress 10.98.0.1)',
      '<-- IPCP Configure-Reject(secondaryDns 0.0.0.0)',
      '--> IPCP Configure-Request(ipAddress 0.0.0.0, primaryDns 0.0.0.0)',
      expect.stringMatching(
        /^<-- IPCP Configure-Nak\(ipAddress 10\.98\.\d+\.\d+, primaryDns 10\.0\.0\.53\)$/,
      ),
      expect.stringMatching(
        /^--> IPCP Configure-Request\(ipAddress 10\.98\.\d+\.\d+, primaryDns 10\.0\.0\.53\)$/,
      ),
      expect.stringMatching(
        /^<-- IPCP Configure-Ack\(ipAddress 10\.98\.\d+\.\d+, primaryDns 10\.0\.0\.53\)$/,
      ),
    ]);
    expect(client.networkUp).toBe(true);
    expect(client.addresses.dns).toEqual([Uint8Array.of(10, 0, 0, 53)]);
  });

  scene('by CHAP-MD5 (RFC 1994), which it names in its Nak', YAML, async (gateway) => {
    const { client } = await dialIn(gateway, { user: 'carol', profile: { auth: ['chap-md5'] } });
    expect(gateway.wire).toContain('--> LCP Configure-Nak(authenticationProtocol)');
    expect(gateway.wire.filter((line) => line.includes('CHAP'))).toEqual([
      '<-- CHAP Challenge',
      '--> CHAP Response',
      '<-- CHAP Success',
    ]);
    expect(client.networkUp).toBe(true);
  });

  scene('by PAP (RFC 1334), and no fact or frame of ours shows its password', YAML, async (gateway) => {
    const { client } = await dialIn(gateway, { profile: { auth: ['pap'] } });
    expect(gateway.wire.filter((line) => line.includes('PAP'))).toEqual([
      '--> PAP Authenticate-Request',
      '<-- PAP Authenticate-Ack',
    ]);
    expect(client.networkUp).toBe(true);
    expect(JSON.stringify(gateway.ppp.telemetry.lines)).not.toContain('correct horse');
  });

  for (const profile of [windows10, macos, android7]) {
    scene(`as ${profile.name} does`, YAML, async (gateway) => {
      const { client } = await dialIn(gateway, { profile: profile.ppp });
      expect(client.networkUp).toBe(true);
      expect(client.ipv6Up).toBe(false);
      const others = profile.ppp.ncps.filter((ncp) => ncp !== 'ipcp').map((ncp) => ncp.toUpperCase());
      const rejected = gateway.wire.filter((line) => line.startsWith('<-- LCP Protocol-Reject'));
      for (const name of others) expect(rejected).toContain(`<-- LCP Protocol-Reject(${name})`);
    });
  }

  scene('before its link is there: the first Configure-Request is not lost', YAML, async (gateway) => {
    const { client } = gateway.dial();
    client.start();
    await gateway.world.run(50);
    await gateway.world.promised(
      gateway.request({ type: 'link.start', call: CALL, callingStation: '198.51.100.7' }),
    );
    await gateway.world.run(500);
    expect(client.networkUp).toBe(true);
  });
});

describe('what the data plane is told', () => {
  scene('one record, and the Configure-Ack that opens the link waits for it', YAML, async (gateway) => {
    await dialIn(gateway);
    const held = gateway.frames.filter((frame) => frame.after !== undefined);
    expect(held).toHaveLength(1);
    expect(held[0]?.after).toMatchObject({ bucket: 'culvert_ppp', key: `1.${SESSION}` });
    expect(held[0]?.octets.subarray(0, 3)).toEqual(Uint8Array.of(0x80, 0x21, 2));
    const entry = await stored(gateway);
    expect(entry?.revision).toBe(held[0]?.after?.revision);
    // Echo and a refused protocol cost no write.
    await gateway.world.run(200_000);
    expect((await stored(gateway))?.revision).toBe(held[0]?.after?.revision);
    expect(gateway.wire.filter((line) => line === '<-- LCP Echo-Request').length).toBeGreaterThan(3);
    expect(gateway.disconnects).toEqual([]);
  });

  scene(
    'with an IPv6 pool: a /64, advertised with name servers',
    `${YAML.replace('10.98.0.0/22 }', '10.98.0.0/22, ipv6: "2001:db8:100::/48" }')}`,
    async (gateway) => {
      const { client, packets } = await dialIn(gateway, { profile: { ncps: ['ipcp', 'ipv6cp'] } });
      expect(client.networkUp && client.ipv6Up).toBe(true);
      expect(packets.some((packet) => packet[40] === 134)).toBe(true);
      expect(gateway.wire).not.toContain('<-- LCP Protocol-Reject(IPV6CP)');
    },
  );

  scene('a restart of the service loses no opened link', YAML, async (gateway) => {
    const { client } = await dialIn(gateway);
    await gateway.restart();
    client.echo();
    await gateway.world.run(100);
    expect(client.echoReplies).toBe(1);
    await gateway.world.run(200_000);
    expect(gateway.disconnects).toEqual([]);
    expect(client.networkUp).toBe(true);
  });
});

async function stored(gateway: Scene) {
  const bucket = await gateway.world.promised(gateway.ppp.bus.bucket('culvert_ppp'));
  return gateway.world.promised(bucket.get(`1.${SESSION}`));
}
