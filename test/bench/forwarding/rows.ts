import { absence, CONFIGURATIONS, type ConfigurationName } from './configurations.ts';
import { LOADS, type LoadName } from './loads.ts';
import type { Options } from './options.ts';

/** One figure of one test. */
export type Figure = readonly [ConfigurationName, LoadName, string];

export interface Row {
  /** Its key in the JSON. */
  readonly key: string;
  readonly group: string;
  readonly what: string;
  readonly figure: Figure;
  /** Both are taken from the same run. */
  readonly to?: { readonly figure: Figure; readonly by: 'ratio' | 'difference' };
}

const ratio = (
  group: string,
  key: string,
  what: string,
  [configuration, load, name]: Figure,
  other: ConfigurationName,
): Row => ({
  key,
  group,
  what,
  figure: [configuration, load, name],
  to: { figure: [other, load, name], by: 'ratio' },
});

const peer = (name: ConfigurationName, key: string): Row[] => [
  ratio(name, key, `one flow up, to ${name}`, ['own', 'tcp1', 'gbps'], name),
  ratio(name, `${key}_down`, `one flow down, to ${name}`, ['own', 'tcp1r', 'gbps'], name),
];

/** Of the server's processor time for each gigabit: how many times more SoftEther takes. */
const dialled = (direction: 'up' | 'down'): Row[] => [
  plain(
    'softether',
    `dialled_${direction}_cpu_s_per_gbit`,
    `client VM ${direction}, CPU seconds for a Gbit`,
    ['own-dialled', `dialled-${direction}`, 'cpuSecondsPerGbit'],
  ),
  ratio(
    'softether',
    `ratio_to_softether_${direction}`,
    `client VM ${direction}, CPU of SoftEther to ours`,
    ['softether', `dialled-${direction}`, 'cpuSecondsPerGbit'],
    'own-dialled',
  ),
];

const latency = (key: string, what: string, part: string): Row => ({
  key,
  group: 'latency',
  what,
  figure: ['own', 'latency', part],
  to: { figure: ['bare', 'latency', part], by: 'difference' },
});

const plain = (group: string, key: string, what: string, figure: Figure): Row => ({
  key,
  group,
  what,
  figure,
});

/** What the benchmark says, a row each. Which tunnels and loads it takes follows from them. */
export const ROWS: readonly Row[] = [
  plain('flow', 'tcp1_gbps', 'one flow up, Gbit/s', ['own', 'tcp1', 'gbps']),
  plain('flow', 'tcp1r_gbps', 'one flow down, Gbit/s', ['own', 'tcp1r', 'gbps']),
  plain('prototype', 'prototype_tcp1_gbps', 'prototype up, Gbit/s', ['prototype', 'tcp1', 'gbps']),
  plain('prototype', 'prototype_tcp1r_gbps', 'prototype down, Gbit/s', ['prototype', 'tcp1r', 'gbps']),
  ratio(
    'prototype',
    'tcp1_ratio_to_prototype',
    'one flow up, to the prototype',
    ['own', 'tcp1', 'gbps'],
    'prototype',
  ),
  ratio(
    'prototype',
    'tcp1r_ratio_to_prototype',
    'one flow down, to the prototype',
    ['own', 'tcp1r', 'gbps'],
    'prototype',
  ),
  ratio(
    'prototype',
    'tcp1_seal_ratio_to_prototype',
    'one flow, octets for each CPU second of the sealing end, to the prototype',
    ['own', 'tcp1', 'gbpsPerCoreA'],
    'prototype',
  ),
  ratio(
    'prototype',
    'tcp1_open_ratio_to_prototype',
    'one flow, octets for each CPU second of the opening end, to the prototype',
    ['own', 'tcp1', 'gbpsPerCoreB'],
    'prototype',
  ),
  ...peer('openvpn', 'ratio_to_openvpn'),
  ...peer('libipsec', 'ratio_to_libipsec'),
  ...peer('wireguard-go', 'ratio_to_wireguard_go'),
  ratio('suites', 'cbc_sha1_ratio_to_gcm', 'CBC+SHA1, to GCM', ['own-cbc-sha1', 'tcp1', 'gbps'], 'own'),
  ratio('suites', 'cbc_sha256_ratio_to_gcm', 'CBC+SHA256, to GCM', ['own-cbc-sha256', 'tcp1', 'gbps'], 'own'),
  ratio(
    'backend',
    'openssl_ratio_to_ipsec_mb',
    'OpenSSL, to ipsec-mb',
    ['own-openssl', 'tcp1', 'gbps'],
    'own',
  ),
  plain('split', 'split_gbps', 'single datagrams, Gbit/s', ['own-split', 'tcp1', 'gbps']),
  ratio(
    'split',
    'split_ratio_to_prototype',
    'single datagrams, to the prototype',
    ['own-split', 'tcp1', 'gbps'],
    'prototype-split',
  ),
  plain('small', 'small_kpps', '64 octets, kpps', ['own', 'small', 'kpps']),
  plain('small', 'small_ns_seal', '64 octets, ns to seal', ['own', 'small', 'nsA']),
  plain('small', 'small_ns_open', '64 octets, ns to open', ['own', 'small', 'nsB']),
  ratio(
    'small',
    'small_cpu_ratio_seal',
    '64 octets, CPU to seal, to the prototype',
    ['own', 'small', 'nsA'],
    'prototype',
  ),
  ratio(
    'small',
    'small_cpu_ratio_open',
    '64 octets, CPU to open, to the prototype',
    ['own', 'small', 'nsB'],
    'prototype',
  ),
  ratio(
    'queues',
    'two_queue_ratio',
    'two queues, to one',
    ['own-two-queues', 'tcp4x2', 'gbps'],
    'own-one-queue',
  ),
  ratio(
    'sessions',
    'sessions_10000_ratio',
    '10,000 sessions, to one, in overload',
    ['own-many-sessions', 'spread', 'gbps'],
    'own',
  ),
  ratio(
    'sessions',
    'sessions_10000_cpu_ratio',
    '10,000 sessions, to one, for each CPU second',
    ['own-many-sessions', 'steady', 'gbpsPerCore'],
    'own',
  ),
  ratio('ipv6', 'ipv6_ratio', 'IPv6, to IPv4', ['own-ipv6', 'tcp1', 'gbps'], 'own'),
  ...(['up', 'down'] as const).flatMap(dialled),
  latency('latency_p50_us', 'added latency, median, us', 'p50'),
  latency('latency_p99_us', 'added latency, p99, us', 'p99'),
  plain('memory', 'memory_per_sa_octets', "the engine's octets for each SA pair with its session", [
    'engine',
    'memory',
    'octets',
  ]),
];

/** A row that was asked for and cannot be had says why. */
export interface Choice {
  readonly rows: readonly Row[];
  readonly absent: readonly { readonly key: string; readonly why: string }[];
}

export function chosenRows(options: Options): Choice {
  const unknown = options.rows.filter(
    (name) => !ROWS.some(({ key, group }) => name === key || name === group),
  );
  if (unknown.length > 0)
    throw new Error(`--rows ${unknown}: known are ${[...groups()].join(', ')} and keys`);
  const wanted = ROWS.filter(
    ({ key, group }) =>
      options.rows.length === 0 || options.rows.includes(key) || options.rows.includes(group),
  );
  const because = (row: Row): string | undefined =>
    CONFIGURATIONS.filter(({ name }) => figuresOf(row).some(([of]) => of === name))
      .map((configuration) => absence(configuration, options))
      .find((why) => why !== undefined);
  return {
    rows: wanted.filter((row) => because(row) === undefined),
    absent: wanted.flatMap((row) => {
      const why = because(row);
      return why === undefined ? [] : [{ key: row.key, why }];
    }),
  };
}

/** What has to be measured for the rows: loads by tunnel. */
export function planOf(rows: readonly Row[]): ReadonlyMap<ConfigurationName, readonly LoadName[]> {
  const figures = rows.flatMap(figuresOf);
  // Loads that everybody keeps up with are parts of what one flow reaches.
  if (figures.some(([, load]) => load === 'latency' || load === 'steady'))
    figures.push(['own', 'tcp1', 'gbps']);
  const plan = CONFIGURATIONS.map(({ name }): [ConfigurationName, LoadName[]] => [
    name,
    LOADS.filter((load) => figures.some(([of, with_]) => of === name && with_ === load)),
  ]);
  return new Map(plan.filter(([, loads]) => loads.length > 0));
}

export function figuresOf({ figure, to }: Row): Figure[] {
  return to === undefined ? [figure] : [figure, to.figure];
}

function groups(): Set<string> {
  return new Set(ROWS.map(({ group }) => group));
}
