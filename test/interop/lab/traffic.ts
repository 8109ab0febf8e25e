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
  readonly end?: { readonly sum_received?: { readonly bytes: number; readonly bits_per_second: number } };
  readonly intervals?: readonly { readonly sum: { readonly bytes: number } }[];
}

/** Lets a guest reach the corporate network through its tunnel, as a split-tunnel client does. */
export async function route(guest: Guest): Promise<void> {
  await guest.must(`ip route replace ${ADDRESSES.corporate.prefix} dev ppp0`);
}

/** Answers how many of `count` echo requests were answered. */
export async function ping(guest: Guest, address: string, count = 5, octets = 56): Promise<number> {
  const { output } = await guest.attempt(`ping -n -i 0.2 -W 2 -c ${count} -s ${octets} ${address}`);
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
