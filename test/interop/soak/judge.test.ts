import { expect, test } from 'vitest';
import type { Census } from '../lab/census.ts';
import { faults } from './judge.ts';
import type { Outcome } from './rekey.ts';

const EDGE = { pid: 7, residentOctets: 200 << 20, threads: 13, sockets: 10, descriptors: 44 };
const EMPTY: Census = {
  processes: { edge: EDGE },
  keys: { KV_culvert_ike: 0 },
  messages: { KV_culvert_ike: 0 },
  consumers: 9,
  sessions: 0,
  engineSas: 0,
  isakmpSas: 0,
  ipsecSas: 0,
};
const BUSY: Census = { ...EMPTY, sessions: 1, engineSas: 5, isakmpSas: 1, ipsecSas: 5 };
const GOOD: Outcome = {
  seconds: 2_000,
  quickModes: 1_000,
  mainModes: 60,
  connections: [{ id: 1, peer: '10.98.0.2', octets: 1e9, seconds: 2_000, longestGapMs: 90, stalls: 0 }],
  lost: 0,
  stalls: 0,
  longestGapMs: 90,
  before: EMPTY,
  warm: BUSY,
  end: BUSY,
  after: EMPTY,
};
const edge = (changes: Partial<typeof EDGE>): Census => ({
  ...BUSY,
  processes: { edge: { ...EDGE, ...changes } },
});

test('nothing is found where nothing is wrong', () => {
  expect(faults(GOOD)).toEqual([]);
});

test.each([
  ['a lost connection', { lost: 1 }, '1 TCP connections were lost'],
  ['a stall', { stalls: 2 }, '2 stalls longer than a second'],
  ['no load', { connections: [] }, 'no TCP connection was under load'],
  [
    'other octets',
    { connections: GOOD.connections.map((one) => ({ ...one, wrongAt: 5 })) },
    '1 TCP connections carried other octets than were sent',
  ],
  [
    'a socket more',
    { end: edge({ sockets: 11 }) },
    'sockets of edge grew from 10 to 11 with the clients there',
  ],
  [
    'a thread more',
    { end: edge({ threads: 14 }) },
    'threads of edge grew from 13 to 14 with the clients there',
  ],
  ['another process', { end: edge({ pid: 8 }) }, 'edge was started anew'],
  ['SAs in excess', { end: { ...BUSY, engineSas: 9 } }, 'engine SAs grew from 8 to 9 with the clients there'],
  [
    'a key left behind',
    { after: { ...EMPTY, keys: { KV_culvert_ike: 1 } } },
    'keys of KV_culvert_ike grew from 0 to 1 after the clients',
  ],
  [
    'deletions that nobody sweeps',
    { after: { ...EMPTY, messages: { KV_culvert_ike: 1_000 } } },
    '1000 messages are kept of KV_culvert_ike',
  ],
] as const)('%s is found', (_what, changes, fault) => {
  expect(faults({ ...GOOD, ...changes })).toEqual([fault]);
});

test('memory that grows with every rekey is found, what a heap breathes is not', () => {
  const grownBy = (octets: number): string[] =>
    faults({ ...GOOD, end: edge({ residentOctets: EDGE.residentOctets + octets }) });
  expect(grownBy(10 << 20)).toEqual([]);
  expect(grownBy(20 << 20)).toEqual(['memory of edge grew by 20 MiB']);
});
