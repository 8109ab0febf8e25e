import type { BenchResult, CryptoRow, Spread, TunnelRow } from './result.ts';

/** What was measured, for a person: tables, and what to make of them. */
export function summary(result: BenchResult): string {
  const { settings, tunnel, packets } = result;
  const runs = `median (worst..best) of ${settings.runs} runs of ${settings.seconds} s`;
  const pairs = tunnel.filter(({ direction }) => direction === 'up');
  const bits = (up: TunnelRow, direction: 'up' | 'down') => {
    const row = tunnel.find((other) => alike(up, other) && other.direction === direction);
    return row === undefined
      ? ['', '']
      : [spreadText(row.bitsPerSecond, 1e9, 2), (row.bitsPerCpuSecond / 1e9).toFixed(1)];
  };
  return [
    ...introduction(result),
    '',
    `Encryption alone, one processor, Gbit/s sealed / opened, by octets in a packet: median of ${settings.runs}`,
    grid(cryptoHead(result.crypto), cryptoRows(result.crypto)),
    '',
    `TCP through ${tunnels(settings.sessions)}, Gbit/s: ${runs}`,
    grid(
      ['SUITE', 'CIPHERS', 'WORKERS', 'UP', 'PER CORE', 'DOWN', 'PER CORE'],
      pairs.map((row) => [
        row.suite,
        row.backend,
        `${row.workers}`,
        ...bits(row, 'up'),
        ...bits(row, 'down'),
      ]),
    ),
    '',
    `Packets of ${settings.smallPacketOctets} octets (UDP) from the clients, thousands a second: ${runs}`,
    grid(
      ['SUITE', 'CIPHERS', 'WORKERS', 'UP', 'PER CORE'],
      packets.map(({ suite, backend, workers, packetsPerSecond, packetsPerCpuSecond }) => [
        suite,
        backend,
        `${workers}`,
        spreadText(packetsPerSecond, 1e3, 0),
        (packetsPerCpuSecond / 1e3).toFixed(0),
      ]),
    ),
    '',
    'PER CORE is what the gateway forwards for each processor that it keeps busy. Here it shares the processors',
    'with the clients, which encrypt as much as it does, and with the load itself: alone on a machine it has',
    'more of them.',
  ].join('\n');
}

/** On what, and of what, the figures are; the chart says it too. */
export function introduction({ version, machine, settings }: BenchResult): string[] {
  const memory = `${Math.round(machine.memoryOctets / 2 ** 30)} GiB`;
  return [
    `Culvert ${version} on ${machine.cores} x ${machine.cpu}, ${memory}`,
    [machine.kernel, `Node ${machine.node}`, ...machine.ciphers].join(', '),
    `L2TP in ESP in UDP, IPv4, MTU ${settings.innerMtu} inside and ${settings.outerMtu} outside`,
  ];
}

export function tunnels(sessions: number): string {
  return sessions === 1 ? 'one tunnel' : `${sessions} tunnels`;
}

function alike(a: TunnelRow, b: TunnelRow): boolean {
  return a.suite === b.suite && a.workers === b.workers;
}

function cryptoHead(rows: readonly CryptoRow[]): string[] {
  return ['SUITE', 'CIPHERS', ...sizes(rows).map(String)];
}

function cryptoRows(rows: readonly CryptoRow[]): string[][] {
  const keys = [...new Set(rows.map(({ suite, backend }) => `${suite} ${backend}`))];
  return keys.map((key) => {
    const [suite = '', backend = ''] = key.split(' ');
    const cells = sizes(rows).map((octets) => {
      const row = rows.find((other) => other.octets === octets && `${other.suite} ${other.backend}` === key);
      return row === undefined
        ? ''
        : `${(row.sealBitsPerSecond / 1e9).toFixed(1)} / ${(row.openBitsPerSecond / 1e9).toFixed(1)}`;
    });
    return [suite, backend, ...cells];
  });
}

function sizes(rows: readonly CryptoRow[]): number[] {
  return [...new Set(rows.map(({ octets }) => octets))];
}

function spreadText({ median, min, max }: Spread, unit: number, digits: number): string {
  const text = (value: number) => (value / unit).toFixed(digits);
  return `${text(median)} (${text(min)}..${text(max)})`;
}

function grid(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
