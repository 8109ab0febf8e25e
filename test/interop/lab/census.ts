import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { residentOctetsOf, stagesOf } from '../../bench/processes.ts';
import { command } from './command.ts';
import type { Gateway } from './gateway.ts';
import type { Network } from './network.ts';

/** What a gateway holds at a moment: whatever a leak could be seen in. */
export interface Census {
  readonly processes: Readonly<Record<string, ProcessCount>>;
  /** Of each bucket's stream by name: the keys that are there. */
  readonly keys: Readonly<Record<string, number>>;
  /** The same with the deletions that are still kept, ten minutes at least. */
  readonly messages: Readonly<Record<string, number>>;
  readonly consumers: number;
  readonly sessions: number;
  /** Pairs of SAs in the engines. */
  readonly engineSas: number;
  readonly isakmpSas: number;
  readonly ipsecSas: number;
}

export interface ProcessCount {
  readonly pid: number;
  readonly residentOctets: number;
  readonly threads: number;
  readonly sockets: number;
  readonly descriptors: number;
}

type Streams = Pick<Census, 'keys' | 'messages' | 'consumers'>;

/** A gateway whose Node was given --expose-gc collects its garbage when it is asked for its status. */
export async function census(network: Network, directory: string, gateway: Gateway): Promise<Census> {
  const { pid } = (await gateway.ask('status')) as { readonly pid: number };
  const program = join(import.meta.dirname, 'streams.ts');
  const words = [process.execPath, program, join(directory, 'state')];
  const [ip, args] = network.within('gateway', ...words);
  const streams = JSON.parse(await command(ip, ...args)) as Streams;
  const sessions = (await gateway.ask('sessions')) as readonly { readonly facts: Facts }[];
  const sum = (fact: string): number =>
    sessions.reduce((all, { facts }) => all + Number(facts[fact] ?? 0), 0);
  const stages = [['launcher', pid] as const, ...stagesOf(pid)];
  return {
    processes: Object.fromEntries(stages.map(([name, each]) => [name, countOf(each)])),
    ...streams,
    sessions: sessions.length,
    engineSas: sum('sas'),
    isakmpSas: sum('isakmpSas'),
    ipsecSas: sum('ipsecSas'),
  };
}

type Facts = Readonly<Record<string, string | number | boolean>>;

function countOf(pid: number): ProcessCount {
  const threads = /^Threads:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  const targets = readdirSync(`/proc/${pid}/fd`).map((fd) => target(`/proc/${pid}/fd/${fd}`));
  return {
    pid,
    residentOctets: residentOctetsOf(pid),
    threads: Number(threads?.[1] ?? 0),
    sockets: targets.filter((name) => name.startsWith('socket:')).length,
    descriptors: targets.filter((name) => name !== '').length,
  };
}

function target(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    // Closed while we looked.
    return '';
  }
}
