import { callsOf, tunnelsOf } from '@culvert/actors-l2tp';
import { emitControlMessage, emitData } from '@culvert/wire/l2tp';
import { describe, expect, test } from 'vitest';
import { Exchange } from '../exchange/l2tp/peers.ts';
import { udpDatagram } from '../peer/esp-end.ts';
import { dialIn } from '../scenario/dial-in.ts';
import { GATEWAY, simGateway } from '../scenario/gateway.ts';
import { icmpEcho } from '../scenario/packets.ts';
import { inWorld } from '../sim/index.ts';
import { expectUnharmed, stranger } from './gateway-stage.ts';

/**
 * CVE-2002-0872, predictable identifiers: the generator was not seeded, so a stranger could name a tunnel.
 * Here they are drawn from entropy, and a right guess is worth nothing outside the session's own SA.
 */
describe('Tunnel and Session IDs', () => {
  const drawn = Array.from({ length: 400 }, (_, index) => {
    const exchange = new Exchange();
    exchange.lns.clock.now += 1;
    // Each LNS has its own entropy; the name seeds it.
    Object.assign(exchange.lns, { name: `LNS ${index}` });
    exchange.connect();
    const tunnel = tunnelsOf(exchange.lns.state)[0]?.context.localId ?? 0;
    const call = callsOf(exchange.lns.state)[0]?.context.ours ?? 0;
    return { tunnel, call };
  });

  test.each(['tunnel', 'call'] as const)(
    '%s: never zero, hardly ever twice, no bit is fixed, none follows',
    (name) => {
      const ids = drawn.map((pair) => pair[name]);
      expect(ids.filter((id) => id < 1 || id > 0xffff)).toEqual([]);
      // 400 of 65,536 (of 8,192 for calls, whose low bits are the tunnel's slot): a few coincide.
      expect(new Set(ids).size).toBeGreaterThan(370);
      const varying = name === 'tunnel' ? 16 : 12;
      for (let bit = 15; bit > 15 - varying; bit -= 1) {
        const set = ids.filter((id) => ((id >>> bit) & 1) === 1).length;
        expect(set).toBeGreaterThan(140);
        expect(set).toBeLessThan(260);
      }
      const steps = ids.slice(1).map((id, index) => (id - (ids[index] ?? 0)) & 0xffff);
      expect(new Set(steps).size).toBeGreaterThan(350);
    },
  );
});

test("the IDs of one session's tunnel mean nothing in another session's SA", () =>
  inWorld({ seed: 810 }, async (world) => {
    const gateway = await simGateway(world);
    const victim = await dialIn(world, { address: '198.51.100.2' });
    const attacker = await dialIn(world, { address: '198.51.100.3' });
    const [entry] = attacker.client.sas;
    if (entry === undefined) throw new Error('the attacker has an SA');
    const socket = stranger(world, 9, '198.51.100.3');
    const say = (l2tp: Uint8Array) =>
      socket.send({ address: GATEWAY, port: 0 }, entry.seal(udpDatagram(1701, 1701, l2tp)));
    const { tunnelId, sessionId } = victim.client.lac.theirs;
    const ours = (victim.client.ppp.addresses.ipv4 ?? new Uint8Array(4)).join('.');
    const packet = icmpEcho(ours, '10.0.0.80', 8, 1);
    const before = gateway.corporate.length;
    const header = { tunnelId, sessionId, priority: false };
    say(emitData(header, Uint8Array.of(0xff, 0x03, 0x00, 0x21, ...packet)));
    say(emitData(header, Uint8Array.of(0xff, 0x03, 0xc0, 0x21, 5, 1, 0, 4)));
    for (const ns of [0, 1, 2, 3, 4, 5]) {
      const fields = { tunnelId, sessionId: 0, ns, nr: 1 };
      say(
        emitControlMessage(fields, {
          type: 'StopCCN',
          values: { assignedTunnelId: 1, resultCode: { result: 1 } },
        }),
      );
      say(
        emitControlMessage(
          { ...fields, sessionId },
          { type: 'CDN', values: { resultCode: { result: 3 }, assignedSessionId: 1 } },
        ),
      );
    }
    await world.run(5_000);
    expect(gateway.corporate.length).toBe(before);
    expect(gateway.counters()['edge.drops{reason=l2tp-unknown-call}']).toBe(2);
    expect([victim.client.up, attacker.client.up]).toEqual([true, true]);
    victim.client.sendPacket(packet);
    await world.until(() => gateway.corporate.length === before + 1, 2_000);
    expectUnharmed(world, gateway);
  }));
