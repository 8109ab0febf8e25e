import { expect, test } from 'vitest';
import { accountIndex, type SessionReport } from '../pipeline/index.ts';
import { createTraffic, KINDS, trafficFacts } from './traffic.ts';

const report = (session: string, accounting: readonly number[]): SessionReport => ({
  session,
  octetsIn: 0,
  octetsOut: 0,
  packetsIn: 0,
  packetsOut: 0,
  accounting,
  drops: 0,
  sas: 1,
  links: 1,
  windows: [],
});

/** Cell i has i. */
const cells = (times = 1) => Array.from({ length: 32 }, (_, cell) => cell * times);

function counted() {
  const counts = new Map<string, number>();
  const telemetry = {
    count(name: string, attributes: Readonly<Record<string, string>>, by = 1) {
      const key = `${name} ${attributes.direction} ${attributes.family} ${attributes.class}`;
      counts.set(key, (counts.get(key) ?? 0) + by);
    },
  };
  return { counts, traffic: createTraffic(telemetry as never) };
}

test('sixteen kinds, each with packets and octets of its own', () => {
  const places = KINDS.flatMap((kind) => [accountIndex(kind), accountIndex(kind) + 1]);
  expect(places.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 32 }, (_, cell) => cell));
});

test('totals of sessions become counters that grow by what was added', () => {
  const { counts, traffic } = counted();
  traffic.heard([report('a', cells()), report('b', cells())]);
  traffic.heard([report('a', cells(3))]);
  expect(counts.get('edge.user_octets from-peer ipv4 0')).toBe(4);
  expect(counts.get('edge.user_packets to-peer ipv6 3')).toBe(30 * 4);
  traffic.keep((session) => session === 'b');
  traffic.heard([report('a', cells())]);
  expect(counts.get('edge.user_packets to-peer ipv6 3')).toBe(30 * 5);
});

test('a person sees what is not zero', () => {
  const accounting = new Array<number>(32).fill(0);
  accounting[accountIndex({ direction: 'from-peer', family: 4, class: 0 })] = 2;
  accounting[accountIndex({ direction: 'from-peer', family: 4, class: 0 }) + 1] = 120;
  accounting[accountIndex({ direction: 'to-peer', family: 6, class: 2 })] = 1;
  accounting[accountIndex({ direction: 'to-peer', family: 6, class: 2 }) + 1] = 90;
  expect(trafficFacts(accounting)).toEqual({
    packetsInIpv4: 2,
    octetsInIpv4: 120,
    packetsOutIpv6Class2: 1,
    octetsOutIpv6Class2: 90,
  });
});
