import type { Config } from '@culvert/config';
import type { Log } from '@culvert/telemetry';
import { ipBatch, nft, setSysctl } from './commands.ts';
import { nftRules, nftTable } from './nft-rules.ts';

/** The kernel's part: an interface that is up, routes to the pools, forwarding, and rules. */
export interface Routing {
  undo(): Promise<void>;
}

/** Large enough for every link: the engine knows each link's own MTU and answers for it. */
const TUN_MTU = 1_500;
const TUN_QUEUE_PACKETS = 1_000;

export async function setUpRouting(config: Config, tun: string, log: Log): Promise<Routing> {
  const { pool } = config;
  // Rules first: nothing of a client's may reach a local port between the two steps.
  await nft(nftRules(config, tun));
  const undone: (readonly [string, string])[] = [];
  try {
    await ipBatch([
      // No link-local address of its own: what the kernel would send from it has no client to go to.
      `link set dev ${tun} addrgenmode none`,
      `link set dev ${tun} mtu ${TUN_MTU} txqueuelen ${TUN_QUEUE_PACKETS} up`,
      `address replace ${pool.gateway4}/32 dev ${tun}`,
      `route replace ${pool.ipv4} dev ${tun} src ${pool.gateway4}`,
      ...(pool.ipv6 === undefined ? [] : [`route replace ${pool.ipv6} dev ${tun}`]),
    ]);
    for (const [name, value] of sysctls(config, tun)) {
      const before = await setSysctl(name, value);
      if (before === undefined) continue;
      undone.unshift([name, before]);
      log.info({ sysctl: name, from: before, to: value }, 'kernel setting changed');
    }
  } catch (error) {
    await undo(tun, undone, log);
    throw error;
  }
  return { undo: () => undo(tun, undone, log) };
}

function sysctls(config: Config, tun: string): readonly (readonly [string, string])[] {
  const four: readonly (readonly [string, string])[] = [
    ['net.ipv4.ip_forward', '1'],
    [`net.ipv4.conf.${tun}.accept_redirects`, '0'],
    [`net.ipv4.conf.${tun}.send_redirects`, '0'],
  ];
  if (config.pool.ipv6 === undefined) return four;
  return [...four, ['net.ipv6.conf.all.forwarding', '1'], [`net.ipv6.conf.${tun}.accept_ra`, '0']];
}

/** The interface goes with its descriptor, and its routes and its own settings with it. */
async function undo(tun: string, undone: readonly (readonly [string, string])[], log: Log): Promise<void> {
  await nft(`table inet ${nftTable(tun)}\ndelete table inet ${nftTable(tun)}\n`).catch((error: unknown) =>
    log.warn({ error: String(error) }, 'the firewall table could not be removed'),
  );
  for (const [name, before] of undone) {
    if (name.includes(`.${tun}.`)) continue;
    await setSysctl(name, before).catch((error: unknown) =>
      log.warn({ sysctl: name, error: String(error) }, 'kernel setting could not be restored'),
    );
  }
}
