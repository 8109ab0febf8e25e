import { describe, expect, test } from 'vitest';
import { chart } from './chart.ts';
import { BenchRefused, checkMachine, orderOf } from './order.ts';
import { type BenchResult, type PacketRow, spread, type TunnelRow } from './result.ts';
import { summary } from './summary.ts';

const tunnelRow = (direction: 'up' | 'down', median: number): TunnelRow => ({
  suite: 'aes-gcm-16-256',
  backend: 'ipsec-mb',
  workers: 2,
  direction,
  bitsPerSecond: { median, min: median - 5e8, max: median + 5e8 },
  bitsPerCpuSecond: 11.3e9,
});
const packetRow: PacketRow = {
  suite: 'aes-gcm-16-256',
  backend: 'ipsec-mb',
  workers: 2,
  packetsPerSecond: { median: 300_000, min: 280_000, max: 310_000 },
  packetsPerCpuSecond: 1_200_000,
};
const result: BenchResult = {
  version: '1.2.3 (abcdef0)',
  machine: {
    cpu: 'Some "Processor" <A&B>\u0007',
    cores: 2,
    memoryOctets: 8 * 2 ** 30,
    kernel: 'Linux 6.1.0',
    node: 'v24.0.0',
    ciphers: ['ipsec-mb 1.3.0', 'openssl 3.5.0'],
  },
  settings: {
    seconds: 0.8,
    runs: 3,
    sessions: 2,
    suites: ['aes-gcm-16-256'],
    outerMtu: 1_500,
    innerMtu: 1_400,
    smallPacketOctets: 64,
  },
  crypto: [64, 1_400].map((octets) => ({
    suite: 'aes-gcm-16-256',
    backend: 'ipsec-mb',
    octets,
    sealBitsPerSecond: octets * 3e7,
    openBitsPerSecond: octets * 2e7,
  })),
  tunnel: [tunnelRow('up', 5e9), tunnelRow('down', 4e9)],
  packets: [packetRow],
};

test('median, worst and best', () => {
  expect(spread([3, 10, 1])).toEqual({ median: 3, min: 1, max: 10 });
});

test('the text has machine, settings and every figure', () => {
  const text = summary(result);
  for (const words of [
    'Culvert 1.2.3 (abcdef0) on 2 x Some "Processor"',
    'Linux 6.1.0, Node v24.0.0, ipsec-mb 1.3.0, openssl 3.5.0',
    'MTU 1400 inside and 1500 outside',
    '1.9 / 1.3  42.0 / 28.0',
    'TCP through 2 tunnels, Gbit/s: median (worst..best) of 3 runs of 0.8 s',
    '2        5.00 (4.50..5.50)  11.3      4.00 (3.50..4.50)  11.3',
    '2        300 (280..310)  1200',
  ])
    expect(text).toContain(words);
});

describe('the chart', () => {
  const svg = chart(result);

  test('is XML whatever a machine calls itself', () => {
    expect(svg).toContain('Some &quot;Processor&quot; &lt;A&amp;B&gt;?');
    const open = [...svg.matchAll(/<([a-z]+)(?=[\s>])[^>]*?(?<!\/)>/g)].map(([, name]) => name).toSorted();
    const closed = [...svg.matchAll(/<\/([a-z]+)>/g)].map(([, name]) => name).toSorted();
    expect(open).toEqual(closed);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('needs nothing from elsewhere, and knows dark pages', () => {
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:|@import|url\(|href/);
    expect(svg).toContain('prefers-color-scheme: dark');
  });

  test('draws bars as long as their figures', () => {
    const widths = [...svg.matchAll(/<rect class="(?:first|second)" x="278" [^>]*width="([\d.]+)"/g)];
    const [seal = 0, open = 0, up = 0, down = 0] = widths.map(([, width]) => Number(width));
    expect(widths).toHaveLength(5);
    expect(open / seal).toBeCloseTo(2 / 3, 2);
    expect(down / up).toBeCloseTo(4 / 5, 2);
    expect(svg).toContain('5.00 (4.50 to 5.50)');
  });

  test('a part without figures is left out', () => {
    expect(chart({ ...result, packets: [] })).not.toContain('Small packets');
    const still = { ...packetRow, packetsPerSecond: spread([0]) };
    expect(chart({ ...result, packets: [still] })).not.toMatch(/NaN|Infinity/);
  });
});

describe('the order', () => {
  test('defaults fit the machine', () => {
    expect(orderOf({}, 1)).toMatchObject({ seconds: 0.8, sessions: 1, workers: 1 });
    expect(orderOf({}, 64)).toMatchObject({ sessions: 4, workers: 4 });
    expect(orderOf({}).suites).toHaveLength(3);
  });

  test('what is typed counts', () => {
    const suites = 'aes-gcm-16-128, aes-gcm-16-256,aes-gcm-16-128';
    expect(orderOf({ seconds: '2.5', sessions: '1000', suites }, 2)).toEqual({
      seconds: 2.5,
      sessions: 1_000,
      suites: ['aes-gcm-16-128', 'aes-gcm-16-256'],
      workers: 2,
    });
  });

  test.each([
    [{ seconds: '0.1' }, '--seconds', '0.1'],
    [{ seconds: '61' }, '--seconds', '61'],
    [{ seconds: '1e1' }, '--seconds', '1e1'],
    [{ sessions: '0' }, '--sessions', '0'],
    [{ sessions: '1001' }, '--sessions', '1001'],
    [{ sessions: '1.5' }, '--sessions', '1.5'],
    [{ suites: 'aes-gcm-16-256,rot13' }, '--suites', 'rot13'],
    [{ suites: '' }, '--suites', ''],
    [{ suites: 'constructor' }, '--suites', 'constructor'],
  ])('%j is refused', (typed, field, value) => {
    expect(faultOf(() => orderOf(typed))).toMatchObject({
      field,
      value,
      remedy: expect.stringMatching(/\w/),
    });
  });
});

test.runIf(process.geteuid?.() === 0)('what the machine lacks is named', () => {
  expect(faultOf(() => checkMachine('/dev/net/none'))).toMatchObject({ value: '/dev/net/none' });
  expect(faultOf(() => checkMachine('/dev/null', '/nowhere'))).toMatchObject({ field: 'the program ip' });
});

function faultOf(refused: () => unknown): unknown {
  try {
    return refused();
  } catch (error) {
    return error instanceof BenchRefused ? error.fault : error;
  }
}
