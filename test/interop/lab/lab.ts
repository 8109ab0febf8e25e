import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Dial, Dialler, IpsecClient } from './client.ts';
import { prepare } from './client.ts';
import { startCorporateHost } from './corporate.ts';
import { type Changes, type Gateway, PSK, startGateway, USERS } from './gateway.ts';
import { bootGuest, type Guest } from './guest.ts';
import { ADDRESSES, createNetwork, type Network, type Place } from './network.ts';
import { startTraces, type Traces } from './traces.ts';

const RUNS = resolve(import.meta.dirname, '../../../.cache/interop/runs');

/** How long transfers last: `CULVERT_INTEROP=full` is the long form. */
export const FULL = process.env.CULVERT_INTEROP === 'full';
export const TRANSFER_SECONDS = FULL ? 60 : 4;

export interface Lab {
  readonly directory: string;
  readonly network: Network;
  readonly gateway: Gateway;
  /** What its configuration has its own way. */
  readonly changes: Changes;
  readonly traces: Traces;
  /** Boots guest `index` (1, 2 or 3) and plugs it in. */
  boot(index: number, place: Place): Promise<Guest>;
  /** The same, ready to dial in with the user of that index. */
  dialler(index: number, place: Place, client: IpsecClient, dial?: Partial<Dial>): Promise<Dialler>;
  /** The user of a guest's index. */
  dial(index: number, changes?: Partial<Dial>): Dial;
  /** How many sessions the gateway says it has. */
  sessions(): Promise<number>;
  /** What a failed test needs: the last words of everybody. */
  words(): Promise<string>;
  close(): Promise<void>;
}

/** Network, corporate host, trace receiver and gateway. Its files stay for a look until the next run. */
export async function openLab(name: string, changes: Changes = {}): Promise<Lab> {
  const directory = join(RUNS, name);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const network = await createNetwork();
  try {
    await startCorporateHost(network, directory);
    const traces = await startTraces(network, directory);
    const gateway = await startGateway(network, directory, traces.endpoint, changes);
    return assemble({ directory, network, traces, gateway, changes });
  } catch (error) {
    await network.close();
    throw error;
  }
}

type Parts = Pick<Lab, 'directory' | 'network' | 'traces' | 'gateway' | 'changes'>;

function assemble(parts: Parts): Lab {
  const { directory, network, gateway } = parts;
  const guests = new Map<number, Guest>();
  const diallers = new Map<number, Dialler>();
  const boot = async (index: number, place: Place): Promise<Guest> => {
    await guests.get(index)?.kill();
    const guest = await bootGuest(network, directory, index);
    guests.set(index, guest);
    await guest.plug(place);
    return guest;
  };
  const dial = (index: number, changes: Partial<Dial> = {}): Dial => {
    const { name: user, password } = USERS[index - 1] ?? USERS[0];
    return { gateway: ADDRESSES.outside.gateway, psk: PSK, user, password, ...changes };
  };
  return {
    ...parts,
    sessions: async () => ((await gateway.ask('sessions')) as readonly unknown[]).length,
    boot,
    dial,
    dialler: async (index, place, client, changes) => {
      const dialler = await prepare(await boot(index, place), client, dial(index, changes));
      diallers.set(index, dialler);
      return dialler;
    },
    words: async () => {
      const said = await Promise.all([...diallers.values()].map((dialler) => dialler.words()));
      const log = readFileSync(gateway.log, 'utf8').split('\n').slice(-120).join('\n');
      return `${said.join('\n')}\n-- gateway\n${log}`;
    },
    close: async () => {
      for (const guest of guests.values()) await guest.kill();
      await gateway.stop();
      await network.close();
    },
  };
}
