import type { Config } from '@culvert/config';
import type { Log } from '@culvert/telemetry';
import { ipBatch, nft } from './commands.ts';
import { type KernelSettings, openKernelSettings } from './kernel-settings.ts';
import { nftRules, nftTable } from './nft-rules.ts';

/** The kernel's part: an interface that is up, routes to the pools, forwarding, and rules. */
export interface Routing {
  undo(): Promise<void>;
}

/** Large enough for every link: the engine knows each link's own MTU and answers for it. */
const TUN_MTU = 1_500;
const TUN_QUEUE_PACKETS = 1_000;
const FORWARD4 = 'net.ipv4.ip_forward';
const FORWARD6 = 'net.ipv6.conf.all.forwarding';

export async function setUpRouting(config: Config, tun: string, log: Log): Promise<Routing> {
  const { pool } = config;
  const settings = await openKernelSettings(config.stateDir, log);
  // Who was no router before forwards for clients and for nobody else.
  const confined = {
    ipv4: (await settings.before(FORWARD4)) === '0',
    ipv6: pool.ipv6 !== undefined && (await settings.before(FORWARD6)) === '0',
  };
  // Rules first: nothing of a client's may reach a local port between the two steps.
  await nft(nftRules(config, tun, confined));
  try {
    await ipBatch([
      // No link-local address of its own: what the kernel would send from it has no client to go to.
      `link set dev ${tun} addrgenmode none`,
      `link set dev ${tun} mtu ${TUN_MTU} txqueuelen ${TUN_QUEUE_PACKETS} up`,
      `address replace ${pool.gateway4}/32 dev ${tun}`,
      `route replace ${pool.ipv4} dev ${tun} src ${pool.gateway4}`,
      ...(pool.ipv6 === undefined ? [] : [`route replace ${pool.ipv6} dev ${tun}`]),
    ]);
    for (const [name, value] of sysctls(config, tun)) await settings.set(name, value);
  } catch (error) {
    await undo(tun, settings, log);
    throw error;
  }
  return { undo: () => undo(tun, settings, log) };
}

function sysctls(config: Config, tun: string): readonly (readonly [string, string])[] {
  const four: readonly (readonly [string, string])[] = [
    [FORWARD4, '1'],
    [`net.ipv4.conf.${tun}.accept_redirects`, '0'],
    [`net.ipv4.conf.${tun}.send_redirects`, '0'],
  ];
  if (config.pool.ipv6 === undefined) return four;
  return [...four, [FORWARD6, '1'], [`net.ipv6.conf.${tun}.accept_ra`, '0']];
}

/** The interface goes with its descriptor, and its routes and its own settings with it. */
async function undo(tun: string, settings: KernelSettings, log: Log): Promise<void> {
  // First, so that there is no moment in which this machine forwards for everybody.
  await settings.restore((name) => !name.includes(`.${tun}.`));
  await nft(`table inet ${nftTable(tun)}\ndelete table inet ${nftTable(tun)}\n`).catch((error: unknown) =>
    log.warn({ error: String(error) }, 'the firewall table could not be removed'),
  );
}
