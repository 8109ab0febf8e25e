import { buckets } from '@culvert/contracts';
import { expect } from 'vitest';
import { GATEWAY, type SimGateway } from '../scenario/gateway.ts';
import type { SimSocket, World } from '../sim/index.ts';

/** Addresses stay in the leases' bucket through their quarantine; all else has to go with its session. */
const BUCKETS = [buckets.ike, buckets.l2tp, buckets.ppp, buckets.sequences];

/** Datagrams that leave the gateway from now on. */
export function gatewaySays(world: World): Uint8Array[] {
  const said: Uint8Array[] = [];
  world.network.tap(({ from, octets }) => {
    if (from.address === GATEWAY) said.push(octets);
  });
  return said;
}

/** A stranger's socket, deaf; port 0 is a raw one. */
export function stranger(world: World, port: number, address = '203.0.113.66'): SimSocket {
  return world.network.bind({ address, port }, () => {});
}

/** Records and reservations that stand in the buckets. */
export function keysLeft(world: World): string[] {
  return BUCKETS.flatMap((name) =>
    [...world.broker.store(name).entries.values()]
      .filter(({ value }) => value !== undefined)
      .map(({ key }) => `${name} ${key}`),
  );
}

/** Sessions that the services hold in memory. */
export function sessionsHeld({ runtimes }: SimGateway): Record<string, number> {
  const held: Record<string, number> = {};
  for (const [role, { telemetry }] of Object.entries(runtimes)) {
    for (const [name, value] of Object.entries(telemetry.gauges())) {
      if (name.startsWith('culvert.host.sessions') && value > 0) held[role] = value;
    }
  }
  return held;
}

export function expectUnharmed(world: World, gateway: SimGateway): void {
  expect(world.broker.faults).toEqual([]);
  expect(Object.keys(gateway.counters()).filter((name) => name.includes('quarantined'))).toEqual([]);
  expect(gateway.lines().filter((line) => /"level":"error"/.test(line))).toEqual([]);
}
