import { command } from './command.ts';
import type { Network, Role } from './network.ts';

/** Rules of a test in one namespace, in a table of their own. */
export interface PacketFilter {
  /** Adds a rule with a counter and answers how to read it. */
  count(match: string): Promise<() => Promise<number>>;
  /** Adds a rule that changes packets. */
  change(rule: string): Promise<void>;
  close(): Promise<void>;
}

let opened = 0;

export async function filterAt(
  network: Network,
  role: Role,
  hook: 'forward' | 'input',
): Promise<PacketFilter> {
  const table = `ip probe${++opened}`;
  const nft = (rule: string): Promise<string> => {
    const [program, args] = network.within(role, 'nft', rule);
    return command(program, ...args);
  };
  let counters = 0;
  await nft(`add table ${table}`);
  await nft(`add chain ${table} packets { type filter hook ${hook} priority mangle; }`);
  return {
    count: async (match) => {
      const name = `seen${++counters}`;
      await nft(`add counter ${table} ${name}`);
      await nft(`add rule ${table} packets ${match} counter name ${name}`);
      return async () =>
        Number(/packets (\d+)/.exec(await nft(`list counter ${table} ${name}`))?.[1] ?? Number.NaN);
    },
    change: async (rule) => {
      await nft(`add rule ${table} packets ${rule}`);
    },
    close: async () => {
      await nft(`delete table ${table}`);
    },
  };
}
