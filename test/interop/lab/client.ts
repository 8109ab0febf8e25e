import { until } from './command.ts';
import type { Guest } from './guest.ts';

/** What a client dials with. */
export interface Dial {
  readonly gateway: string;
  readonly psk: string;
  readonly user: string;
  readonly password: string;
  /** Seconds; the clients' own defaults where absent. Rekeying begins `MARGIN_SECONDS` before. */
  readonly ikeLifetime?: number;
  readonly espLifetime?: number;
  /** ESP proposal in the client's own words. */
  readonly esp?: string;
  /** Further lines of pppd's options. */
  readonly ppp?: string;
}

/** Seconds before a lifetime's end at which both clients begin the rekey, without their usual fuzz. */
export const MARGIN_SECONDS = 8;

/** An IPsec stack of Debian as data: its files and the commands a user would give. */
export interface IpsecClient {
  readonly name: string;
  files(dial: Dial): Readonly<Record<string, string>>;
  /** Leaves with its daemon ready for `up`. */
  readonly start: string;
  readonly up: string;
  readonly down: string;
  /** Where its daemon writes. */
  readonly log: string;
  /** What its log says once per ISAKMP SA, and once per IPsec SA, that came up. */
  readonly isakmpSaUp: string;
  readonly ipsecSaUp: string;
}

export interface Connection {
  readonly address: string;
  readonly dns: readonly string[];
}

const CONTROL = '/run/xl2tpd/l2tp-control';

/** xl2tpd and pppd as every guide for Linux clients sets them up. */
function l2tpFiles(dial: Dial): Readonly<Record<string, string>> {
  return {
    '/etc/xl2tpd/xl2tpd.conf': `[global]
port = 1701

[lac culvert]
lns = ${dial.gateway}
ppp debug = yes
pppoptfile = /etc/ppp/options.culvert
length bit = yes
`,
    '/etc/ppp/options.culvert': `name ${quoted(dial.user)}
password ${quoted(dial.password)}
noauth
noipdefault
nodefaultroute
usepeerdns
ipcp-accept-local
ipcp-accept-remote
mtu 1400
mru 1400
# xl2tpd closes the tunnel before pppd says farewell, so nobody is there to answer it.
lcp-max-terminate 1
debug
logfile /var/log/pppd.log
${dial.ppp ?? ''}
`,
  };
}

/** pppd's options file: a word in quotes, with backslashes before quotes. */
const quoted = (word: string): string => `"${word.replace(/["\\]/g, '\\$&')}"`;

/** A guest set up as a client of one user; connects and disconnects as often as asked. */
export interface Dialler {
  readonly guest: Guest;
  connect(): Promise<Connection>;
  disconnect(): Promise<void>;
  /** How many SAs came up since its daemon started. */
  established(): Promise<{ readonly isakmp: number; readonly ipsec: number }>;
  /** The last words of the client's daemons, for a failed test. */
  words(): Promise<string>;
}

export async function prepare(guest: Guest, client: IpsecClient, dial: Dial): Promise<Dialler> {
  for (const [path, content] of Object.entries({ ...client.files(dial), ...l2tpFiles(dial) })) {
    await guest.write(path, content);
  }
  await guest.must(client.start);
  // In the foreground it says on standard error what syslog would get.
  await guest.must(`xl2tpd -D >/var/log/xl2tpd.log 2>&1 & for i in $(seq 50); do
    [ -p ${CONTROL} ] && exit 0; sleep 0.1; done; exit 1`);
  return {
    guest,
    connect: async () => {
      await guest.must(`: >/var/log/pppd.log; rm -f /etc/ppp/resolv.conf; ${client.up}`, 60_000);
      await guest.must(`echo 'c culvert' >${CONTROL}`);
      const address = await until(`an address of ${guest.name}`, 30_000, async () => {
        const { output } = await guest.attempt('ip -4 -o address show dev ppp0 2>/dev/null');
        return /inet (\S+?)[/ ]/.exec(output)?.[1];
      });
      await until('pppd to finish ip-up', 5_000, async () => {
        const { output } = await guest.attempt('cat /etc/ppp/resolv.conf 2>/dev/null || true');
        return output === '' ? undefined : output;
      }).catch(() => undefined);
      const { output } = await guest.attempt('cat /etc/ppp/resolv.conf 2>/dev/null || true');
      return { address, dns: [...output.matchAll(/^nameserver (\S+)/gm)].map(([, server = '']) => server) };
    },
    disconnect: async () => {
      await guest.must(`echo 'd culvert' >${CONTROL}`);
      await until(`ppp0 of ${guest.name} to go`, 15_000, async () => {
        const { status } = await guest.attempt('ip link show dev ppp0');
        return status === 0 ? undefined : true;
      });
      await guest.must(client.down, 30_000);
    },
    established: async () => {
      const { output } = await guest.attempt(
        `grep -c '${client.isakmpSaUp}' ${client.log}; grep -c '${client.ipsecSaUp}' ${client.log}`,
      );
      const [isakmp = 0, ipsec = 0] = output.trim().split('\n').map(Number);
      return { isakmp, ipsec };
    },
    words: async () => {
      const { output } = await guest.attempt(`
        tail -n 60 ${client.log}
        echo '-- xl2tpd'; tail -n 30 /var/log/xl2tpd.log
        echo '-- pppd'; tail -n 60 /var/log/pppd.log
        echo '-- xfrm'; ip -s xfrm state; ip xfrm policy; ip -br address; cat /proc/net/xfrm_stat`);
      return `-- ${guest.name}: ${client.name}\n${output}`;
    },
  };
}
