import { readdirSync, readFileSync } from 'node:fs';
import { concat } from '@culvert/wire';
import { emitControlMessage, emitData } from '@culvert/wire/l2tp';
import { expect, test } from 'vitest';
import { GATEWAY, simGateway } from '../scenario/gateway.ts';
import { inWorld } from '../sim/index.ts';
import { expectUnharmed, gatewaySays, keysLeft, stranger } from './gateway-stage.ts';

/**
 * CVE-2026-39312, crash: a malformed EAP-TLS packet over raw L2TP on port 1701. L2TP without an SA around it
 * is never read: the engine has no way in for it, and no socket is bound to that port.
 */
const header = { tunnelId: 0, sessionId: 0, ns: 0, nr: 0 };
const sccrq = emitControlMessage(header, {
  type: 'SCCRQ',
  values: {
    protocolVersion: { version: 1, revision: 0 },
    hostName: 'x',
    framingCapabilities: 3,
    assignedTunnelId: 7,
  },
});
const eapTls = emitData(
  { tunnelId: 7, sessionId: 7, priority: false },
  Uint8Array.of(0xff, 0x03, 0xc2, 0x27, 2, 1, 0, 10, 13, 0xc0, 0xff, 0xff, 0xff, 0xff),
);

test('SCCRQ and PPP in the clear reach nobody, on 1701 and on every port that is open', () =>
  inWorld({ seed: 830 }, async (world) => {
    const gateway = await simGateway(world);
    const said = gatewaySays(world);
    const socket = stranger(world, 1701);
    const heard: string[] = [];
    world.broker.tap(({ subject }) => heard.push(subject));
    for (const port of [1701, 500, 4500, 0]) {
      for (const octets of [
        sccrq,
        eapTls,
        concat(new Uint8Array(4), sccrq),
        concat(new Uint8Array(4), eapTls),
      ])
        socket.send({ address: GATEWAY, port }, octets);
    }
    await world.run(1_000);
    expect(world.network.counts.unreachable).toBe(4);
    expect(said).toEqual([]);
    expect(heard.filter((subject) => /^culvert\.(l2tp|ppp)\./.test(subject))).toEqual([]);
    expect(keysLeft(world)).toEqual([]);
    expectUnharmed(world, gateway);
  }));

test('what opens sockets knows two UDP ports, both from the configuration, and raw ESP', () => {
  const folder = new URL('../../services/edge/', import.meta.url);
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.includes('node_modules'))
    .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }))
    // `culvert bench` is programs of their own, for measuring; no part of the gateway knows them.
    .filter(({ name }) => !name.startsWith('bench/'));
  expect(sources.filter(({ text }) => /from '[./]+\/bench\//.test(text))).toEqual([]);
  expect(sources.filter(({ text }) => text.includes('.openUdp(')).map(({ name }) => name)).toEqual([
    'machine/listeners.ts',
  ]);
  const text = readFileSync(new URL('machine/listeners.ts', folder), 'utf8');
  expect([...text.matchAll(/\.openUdp\(\w+, (\w+)/g)].map(([, port]) => port)).toEqual([
    'ikePort',
    'natTraversalPort',
  ]);
});
