import { existsSync } from 'node:fs';
import { attempt, command } from './command.ts';

/**
 * ```
 * guests ─┬─ lan ──── router (NAT) ─┐
 *         └─ outside ───────────────┴─ gateway ── corporate
 * ```
 * Both bridges live in one namespace without addresses, so a guest moves from one to the other as a
 * cable does. Prefixes are those of RFC 5737 and RFC 3849, and private ones.
 */
export const ADDRESSES = {
  outside: { prefix: '198.51.100', gateway: '198.51.100.1', router: '198.51.100.2' },
  lan: { prefix: '192.168.77', router: '192.168.77.1' },
  corporate: { prefix: '10.20.0.0/24', gateway: '10.20.0.1', host: '10.20.0.10' },
  corporate6: { prefix: '2001:db8:20::/64', gateway: '2001:db8:20::1', host: '2001:db8:20::10' },
  pool: { prefix: '10.98.0.0/24', gateway: '10.98.0.1' },
  pool6: '2001:db8:98::/48',
} as const;

export type Place = 'lan' | 'outside';
export type Role = 'switch' | 'router' | 'gateway' | 'corporate';

/** A program and its arguments. */
export type Within = readonly [string, readonly string[]];

export interface Network {
  /** The name of a role's namespace. */
  name(role: Role): string;
  /** Program and arguments that run the given words in a role's namespace. */
  within(role: Role, ...words: readonly string[]): Within;
  /** Puts a tap device into the switch, or moves it. */
  plug(tap: string, place: Place): Promise<void>;
  /** The router forgets its translations, as after a restart: every flow goes on from another port. */
  forgetTranslations(): Promise<void>;
  close(): Promise<void>;
}

const ROLES: readonly Role[] = ['switch', 'router', 'gateway', 'corporate'];
const PREFIX = 'culvert-lab';
let created = 0;

/** Network namespaces named by this process, so that labs of several runs stand side by side. */
export async function createNetwork(): Promise<Network> {
  await sweep();
  const run = `${PREFIX}-${process.pid}-${++created}`;
  const name = (role: Role): string => `${run}-${role}`;
  const ip = (role: Role, words: string): Promise<string> =>
    command('ip', '-n', name(role), ...words.split(' '));

  for (const role of ROLES) {
    await command('ip', 'netns', 'add', name(role));
    await ip(role, 'link set lo up');
  }
  for (const bridge of ['lan', 'outside']) {
    // Without querying and spanning tree a port forwards from the first moment.
    await ip('switch', `link add ${bridge} type bridge forward_delay 0 mcast_snooping 0`);
    await ip('switch', `link set ${bridge} up`);
  }
  const cable = async (bridge: Place, port: string, role: Role, device: string, address: string) => {
    await ip('switch', `link add ${port} type veth peer name ${device} netns ${name(role)}`);
    await ip('switch', `link set ${port} master ${bridge} up`);
    await ip(role, `address add ${address}/24 dev ${device}`);
    await ip(role, `link set ${device} up`);
  };
  await cable('lan', 'router-lan', 'router', 'lan', ADDRESSES.lan.router);
  await cable('outside', 'router-out', 'router', 'outside', ADDRESSES.outside.router);
  await cable('outside', 'gateway-out', 'gateway', 'outside', ADDRESSES.outside.gateway);
  await ip('gateway', `link add inside type veth peer name eth0 netns ${name('corporate')}`);
  await ip('gateway', `address add ${ADDRESSES.corporate.gateway}/24 dev inside`);
  await ip('gateway', 'link set inside up');
  await ip('corporate', `address add ${ADDRESSES.corporate.host}/24 dev eth0`);
  await ip('corporate', 'link set eth0 up');
  await ip('corporate', `route add ${ADDRESSES.pool.prefix} via ${ADDRESSES.corporate.gateway}`);
  // Without duplicate address detection an address serves at once.
  await ip('gateway', `address add ${ADDRESSES.corporate6.gateway}/64 dev inside nodad`);
  await ip('corporate', `address add ${ADDRESSES.corporate6.host}/64 dev eth0 nodad`);
  await ip('corporate', `route add ${ADDRESSES.pool6} via ${ADDRESSES.corporate6.gateway}`);
  await translate(name('router'));

  return {
    name,
    within: (role, ...words) => ['ip', ['netns', 'exec', name(role), ...words]],
    plug: async (tap, place) => {
      await ip('switch', `link set ${tap} master ${place} up`);
    },
    forgetTranslations: async () => {
      // Linux drops the masqueraded flows of an address that goes.
      const address = `${ADDRESSES.outside.router}/24 dev outside`;
      await ip('router', `address del ${address}`);
      await ip('router', `address add ${address}`);
    },
    close: async () => {
      for (const role of ROLES) await remove(name(role));
    },
  };
}

/** A NAT that changes ports, as one with other clients behind it does: 500 and 4500 never stay. */
async function translate(router: string): Promise<void> {
  const rules = [
    'add table ip nat',
    'add chain ip nat post { type nat hook postrouting priority srcnat; }',
    'add rule ip nat post oifname "outside" meta l4proto udp masquerade to :20000-29999 random',
    'add rule ip nat post oifname "outside" masquerade',
  ];
  await command('ip', 'netns', 'exec', router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  for (const rule of rules) await command('ip', 'netns', 'exec', router, 'nft', rule);
}

/** A namespace with all that runs in it: its processes are the lab's by being there. */
async function remove(namespace: string): Promise<void> {
  const { output } = await attempt('ip', ['netns', 'pids', namespace]);
  for (const pid of output.split('\n').filter((line) => /^\d+$/.test(line))) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // Gone by itself meanwhile.
    }
  }
  await attempt('ip', ['netns', 'delete', namespace]);
}

/** What a run that was itself killed left behind. */
async function sweep(): Promise<void> {
  const { output } = await attempt('ip', ['netns', 'list']);
  for (const line of output.split('\n')) {
    const [namespace = ''] = line.split(' ');
    const owner = new RegExp(`^${PREFIX}-(\\d+)-`).exec(namespace)?.[1];
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) await remove(namespace);
  }
}
