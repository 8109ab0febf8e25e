import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Dial, type IpsecClient, prepare } from '../../../interop/lab/client.ts';
import { attempt, command, daemon, until } from '../../../interop/lab/command.ts';
import { startCorporateHost } from '../../../interop/lab/corporate.ts';
import { PSK, USERS } from '../../../interop/lab/gateway.ts';
import { bootGuest, type Guest, rootImage } from '../../../interop/lab/guest.ts';
import { openLab } from '../../../interop/lab/lab.ts';
import { ADDRESSES, createNetwork, type Network } from '../../../interop/lab/network.ts';
import { strongswan } from '../../../interop/lab/strongswan.ts';
import { route } from '../../../interop/lab/traffic.ts';
import { installed, type Room, type Tunnel } from '../tunnel.ts';

/** SoftEther says that it is 0.0.0.0, so its client must take whoever knows the secret. */
const TRUSTING: IpsecClient = {
  ...strongswan,
  files: (dial) => {
    const files = strongswan.files(dial);
    const connection = files['/etc/ipsec.conf'] ?? '';
    return {
      ...files,
      '/etc/ipsec.conf': connection.replace(/^( *)auto = add$/m, '$1rightid = %any\n$&'),
      '/etc/ipsec.secrets': `: PSK "${dial.psk}"\n`,
    };
  },
};

/** What Windows and macOS would take, from behind a NAT as most clients are. */
const ESP = 'aes256-sha1';
const START_MS = 30_000;
const HUB = 'DEFAULT';
const TAP = 'vpn';
const USER = USERS[0];

/** A client in a machine of its own dials in at the gateway, as its users start it. */
export async function openGateway(): Promise<Tunnel> {
  await rootImage();
  const lab = await openLab('bench', { telemetry: { logLevel: 'warn', sampling: 0 } });
  try {
    const guest = await lab.boot(1, 'lan');
    await dialIn(guest, lab.dial(1, { esp: ESP }));
    return { ...(await processesOf(lab.network)), guest, paths: [], device: '', close: () => lab.close() };
  } catch (error) {
    await lab.close();
    throw error;
  }
}

/** The same client dials in at SoftEther, whose hub is bridged to a tap device. */
export async function openSoftether(room: Room): Promise<Tunnel> {
  await rootImage();
  const directory = join(room.folder, 'softether');
  mkdirSync(directory, { recursive: true });
  const network = await createNetwork();
  try {
    await startCorporateHost(network, directory);
    await startSoftether(network, directory);
    const guest = await bootGuest(network, directory, 1);
    await guest.plug('lan');
    const { name: user, password } = USER;
    // It begins with an EAP method that pppd has no certificate for.
    const ppp = 'refuse-eap';
    const dial = { gateway: ADDRESSES.outside.gateway, psk: PSK, user, password, esp: ESP, ppp };
    await dialIn(guest, dial, TRUSTING);
    const close = async (): Promise<void> => {
      await guest.kill();
      await network.close();
    };
    return { ...(await processesOf(network)), guest, paths: [], device: '', close };
  } catch (error) {
    await network.close();
    throw error;
  }
}

async function dialIn(guest: Guest, dial: Dial, client: IpsecClient = strongswan): Promise<void> {
  const dialler = await prepare(guest, client, dial);
  try {
    await dialler.connect();
  } catch (error) {
    throw new Error(`${error}\n${await dialler.words()}`);
  }
  await route(guest);
}

/** The server is all that runs in the gateway's namespace; the client's machine and its peer are the load. */
async function processesOf(network: Network): Promise<Pick<Tunnel, 'pids' | 'loadPids'>> {
  const within = async (role: 'gateway' | 'switch' | 'corporate'): Promise<number[]> => {
    const { output } = await attempt('ip', ['netns', 'pids', network.name(role)]);
    return output.split('\n').filter(Boolean).map(Number);
  };
  return {
    pids: await within('gateway'),
    loadPids: async () => [...(await within('switch')), ...(await within('corporate'))],
  };
}

async function startSoftether(network: Network, directory: string): Promise<void> {
  // Server and client keep their state where Debian's package says: here these are folders of this run.
  const folders = ['/var/lib/softether', '/var/log/softether', '/run/softether'];
  const binds = folders.map((folder, index) => {
    const own = join(directory, String(index));
    mkdirSync(own);
    return `mkdir -p ${folder} && mount --bind ${own} ${folder} && `;
  });
  const within = (words: string) =>
    network.within('gateway', 'unshare', '-m', 'sh', '-c', `${binds.join('')}exec ${words}`);
  daemon(join(directory, 'server.log'), ...within(`${installed('vpnserver') ?? 'vpnserver'} execsvc`));
  const file = join(directory, 'commands');
  writeFileSync(file, COMMANDS, { mode: 0o600 });
  await until('SoftEther to be configured', START_MS, async () =>
    (await attempt(...within(`vpncmd localhost /SERVER /IN:${file}`))).status === 0 ? true : undefined,
  );
  const ip = (words: string) => command('ip', '-n', network.name('gateway'), ...words.split(' '));
  await until('the tap device', START_MS, async () =>
    (await ip('-o link show')).includes(` tap_${TAP}:`) ? true : undefined,
  );
  await ip(`address add ${ADDRESSES.pool.gateway}/24 dev tap_${TAP}`);
  const [program, args] = network.within('gateway', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  await command(program, ...args);
}

/** Its own DHCP server gives out addresses; packets leave by the bridge, not by its slower NAT in userland. */
const COMMANDS = `IPsecEnable /L2TP:yes /L2TPRAW:no /ETHERIP:no /PSK:${PSK} /DEFAULTHUB:${HUB}
BridgeCreate ${HUB} /DEVICE:${TAP} /TAP:yes
Hub ${HUB}
UserCreate ${USER.name} /GROUP:none /REALNAME:none /NOTE:none
UserPasswordSet ${USER.name} /PASSWORD:"${USER.password}"
SecureNatEnable
NatDisable
SecureNatHostSet /MAC:none /IP:10.98.0.254 /MASK:255.255.255.0
DhcpSet /START:10.98.0.10 /END:10.98.0.100 /MASK:255.255.255.0 /EXPIRE:7200 /GW:${ADDRESSES.pool.gateway} /DNS:${ADDRESSES.corporate.host} /DNS2:none /DOMAIN:none /LOG:no
`;
