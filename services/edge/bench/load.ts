import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { openDatagrams, type Pair, receiveDatagrams, sendDatagrams } from './datagrams.ts';
import { receiveStreams, type Stream, serveStreams } from './streams.ts';

/**
 * The traffic of a measurement, at either side of the tunnel: `node load.ts PORT`. Sends octets to whoever
 * connects, and does what standard input orders, a line of JSON an order, a line an answer.
 */
export type LoadOrder =
  | {
      readonly order: 'receive';
      readonly streams: readonly Stream[];
      readonly warmMs: number;
      readonly ms: number;
    }
  | { readonly order: 'count'; readonly warmMs: number; readonly ms: number }
  | { readonly order: 'send'; readonly pairs: readonly Pair[]; readonly ms: number; readonly octets: number };

export interface Counted {
  /** A second, once the load is warm. */
  readonly rate: number;
  /** Cold or warm, for what each has cost. */
  readonly all: number;
}

export interface LoadAnswer {
  /** Bits or datagrams; none where nothing was to be counted. */
  readonly counted: Counted;
  readonly failure?: string;
}

const NONE: Counted = { rate: 0, all: 0 };

const port = Number(process.argv[2]);
try {
  // Only for this namespace. A congestion control that paces would measure itself.
  writeFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'cubic');
} catch {
  // A kernel without it, or a container that may not: then with the system's own.
}
await serveStreams(port);
const datagrams = openDatagrams(port);
const answer = (given: LoadAnswer) => void process.stdout.write(`${JSON.stringify(given)}\n`);
answer({ counted: NONE });
for await (const line of createInterface({ input: process.stdin })) {
  try {
    answer({ counted: await carryOut(JSON.parse(line) as LoadOrder) });
  } catch (error) {
    answer({ counted: NONE, failure: String(error) });
  }
}
process.exit(0);

async function carryOut(order: LoadOrder): Promise<Counted> {
  if (order.order === 'receive') return receiveStreams(order.streams, order.warmMs, order.ms);
  if (order.order === 'count') return receiveDatagrams(datagrams, order.warmMs, order.ms);
  sendDatagrams(datagrams, port, order.pairs, order.ms, order.octets);
  return NONE;
}
