import type { Guest } from './guest.ts';
import { ADDRESSES } from './network.ts';

export type Direction = 'up' | 'down';

export interface Transfer {
  readonly bytes: number;
  readonly megabitsPerSecond: number;
  /** Octets of each second: a lost connection shows as zeros to the end. */
  readonly seconds: readonly number[];
}

interface IperfReport {
  readonly error?: string;
  readonly end?: {
    readonly sum_received?: { readonly bytes: number; readonly bits_per_second: number };
    readonly sum?: { readonly packets: number; readonly lost_packets: number };
  };
  readonly intervals?: readonly { readonly sum: { readonly bytes: number } }[];
}

/** Lets a guest reach the corporate network through its tunnel, as a split-tunnel client does. */
export async function route(guest: Guest): Promise<void> {
  await guest.must(`ip route replace ${ADDRESSES.corporate.prefix} dev ppp0`);
}

/** Answers how many of `count` echo requests were answered. */
export async function ping(
  guest: Guest,
  address: string,
  count = 5,
  octets = 56,
  options = '',
): Promise<number> {
  const { output } = await guest.attempt(
    `ping -n -i 0.2 -W 2 -c ${count} -s ${octets} ${options} ${address}`,
  );
  return Number(/(\d+) received/.exec(output)?.[1] ?? 0);
}

/** One TCP connection of a guest with the corporate host, `down` meaning towards the guest. */
export async function transfer(
  guest: Guest,
  direction: Direction,
  seconds: number,
  port = 5201,
): Promise<Transfer> {
  const { output } = await guest.attempt(
    `iperf3 --json --connect-timeout 5000 -c ${ADDRESSES.corporate.host} -p ${port} -t ${seconds} ${direction === 'down' ? '-R' : ''}`,
    (seconds + 30) * 1000,
  );
  const report = parse(output);
  const received = report.end?.sum_received;
  if (report.error !== undefined || received === undefined) {
    throw new Error(`${guest.name}: TCP ${direction} for ${seconds} s: ${report.error ?? output}`);
  }
  return {
    bytes: received.bytes,
    megabitsPerSecond: received.bits_per_second / 1e6,
    seconds: (report.intervals ?? []).map(({ sum }) => sum.bytes),
  };
}

/** Two seconds of UDP between a guest and the corporate host, `down` meaning towards the guest. */
export async function datagrams(
  guest: Guest,
  direction: Direction,
  { octets, megabits }: { readonly octets: number; readonly megabits: number },
): Promise<{ readonly packets: number; readonly lost: number }> {
  const { output } = await guest.attempt(
    `iperf3 --json --connect-timeout 5000 -u -c ${ADDRESSES.corporate.host} -t 2 -l ${octets} -b ${megabits}M ${direction === 'down' ? '-R' : ''} 2>/dev/null`,
  );
  const { error, end } = parse(output);
  if (error !== undefined || end?.sum === undefined) {
    throw new Error(`${guest.name}: UDP ${direction}: ${error ?? output}`);
  }
  return { packets: end.sum.packets, lost: end.sum.lost_packets };
}

function parse(output: string): IperfReport {
  try {
    return JSON.parse(output) as IperfReport;
  } catch {
    return { error: output };
  }
}

/** The longest run of whole seconds in which nothing came through. */
export function longestSilence({ seconds }: Transfer): number {
  let longest = 0;
  let current = 0;
  for (const bytes of seconds) {
    current = bytes === 0 ? current + 1 : 0;
    longest = Math.max(longest, current);
  }
  return longest;
}

/** Pings for a while; answers the longest time in milliseconds between two answers. */
export async function longestPause(
  guest: Guest,
  address: string,
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
): Promise<number> {
  const { output } = await guest.attempt(
    `ping -n -D -i ${1 / perSecond} -W 1 -c ${perSecond * seconds} ${address}`,
    (seconds + 30) * 1000,
  );
  const times = [...output.matchAll(/^\[([\d.]+)\] \d+ bytes from/gm)].map(([, at]) => Number(at) * 1000);
  if (times.length < 2) throw new Error(`${guest.name}: pings of ${address}:\n${output}`);
  return Math.round(Math.max(...times.slice(1).map((at, i) => at - (times[i] ?? at))));
}
