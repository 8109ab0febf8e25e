import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, daemon, until } from './command.ts';
import type { Guest } from './guest.ts';
import { ADDRESSES, type Network } from './network.ts';

/** What the corporate host says of one TCP connection whose octets a guest sends back. */
export interface EchoReport {
  readonly id: number;
  /** The guest's address. */
  readonly peer: string;
  /** How many came back. */
  readonly octets: number;
  readonly seconds: number;
  /** The longest time without an octet. */
  readonly longestGapMs: number;
  /** How many of those were longer than a second. */
  readonly stalls: number;
  /** Position of the first octet that came back as another. */
  readonly wrongAt?: number;
  /** `complete`, or why it ended before. */
  readonly ended?: string;
}

export interface Echo {
  /** The latest about every connection so far. */
  read(): readonly EchoReport[];
  /** Opens a connection from a guest that lasts until all came back; `run` answers then. */
  run(guest: Guest, timeoutMs?: number): Promise<void>;
  /** Opens one in the background, and another whenever one is lost; answers how to end it. */
  keep(guest: Guest): Promise<() => Promise<void>>;
  /** Waits until this many more have come back on the latest connection. */
  carry(octets: number): Promise<void>;
}

export interface EchoOrder {
  readonly port: number;
  /** Without it as fast as it goes. */
  readonly megabits?: number;
  /** Without it for ever. */
  readonly octets?: number;
}

const CARRY_MS = 30_000;

export async function startEcho(
  network: Network,
  directory: string,
  { port, megabits = 0, octets = 0 }: EchoOrder,
): Promise<Echo> {
  const log = join(directory, `echo-${port}.jsonl`);
  const program = join(import.meta.dirname, 'echo-host.ts');
  daemon(
    log,
    ...network.within('corporate', process.execPath, program, `${port}`, `${megabits}`, `${octets}`),
  );
  await until('the echo host to listen', 10_000, async () => {
    const [ss, args] = network.within('corporate', 'ss', '-Hnlt', `sport = :${port}`);
    return (await command(ss, ...args)) === '' ? undefined : true;
  });
  const echoing = `exec 5<>/dev/tcp/${ADDRESSES.corporate.host}/${port} && cat <&5 >&5`;
  const read = (): readonly EchoReport[] => {
    const reports = new Map<number, EchoReport>();
    // The last line may still be under way.
    for (const line of readFileSync(log, 'utf8').split('\n').slice(0, -1)) {
      const report = JSON.parse(line) as EchoReport;
      reports.set(report.id, report);
    }
    return [...reports.values()];
  };
  return {
    read,
    run: async (guest, timeoutMs = 60_000) => {
      await guest.must(echoing, timeoutMs);
    },
    keep: async (guest) => {
      const pid = (
        await guest.must(`setsid bash -c 'while :; do (${echoing}); sleep 1; done' >/dev/null 2>&1 & echo $!`)
      ).trim();
      return async () => {
        await guest.must(`kill -- -${pid}`);
      };
    },
    carry: async (more) => {
      const carried = (): number => read().at(-1)?.octets ?? 0;
      const goal = carried() + more;
      await until(`${more} octets`, CARRY_MS, async () => (carried() > goal ? true : undefined));
    },
  };
}
