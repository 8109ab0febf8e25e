import type { Config } from '@culvert/config';

/** The families in which this machine forwards only because we asked for it. */
export interface Confined {
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

/** ARPHRD_NONE, as tun devices have: other gateways of this machine are not meant. */
const BETWEEN_NETWORKS = 'meta iiftype != 65534 meta oiftype != 65534';

/** One table per tun, so that several gateways can share a kernel in tests. */
export function nftTable(tun: string): string {
  return `culvert_${tun.replaceAll(/[^A-Za-z0-9_]/g, '_')}`;
}

/**
 * The second wall behind the engine's policy: nothing from the tun reaches a local port, clients do not
 * reach each other, and only leased sources leave. Where forwarding is on for our sake alone (`confined`),
 * nobody else gets through: a neighbour on the outer network is no client. The two lines in front make
 * the script repeatable.
 */
export function nftRules(config: Config, tun: string, confined: Confined): string {
  const { pool, edge } = config;
  const table = nftTable(tun);
  const six = pool.ipv6;
  const masquerade = [
    `iifname "${tun}" ip saddr ${pool.ipv4} oifname != "${tun}" masquerade`,
    ...(six === undefined ? [] : [`iifname "${tun}" ip6 saddr ${six} oifname != "${tun}" masquerade`]),
  ];
  const strangers = (['ipv4', 'ipv6'] as const)
    .filter((family) => confined[family])
    .map((family) => `    ${BETWEEN_NETWORKS} meta nfproto ${family} counter drop\n`);
  // The postrouting hook knows no input interface, so the source says who is a client.
  const leaving = masquerade.map((rule) => rule.replace(`iifname "${tun}" `, ''));
  return `table inet ${table}
delete table inet ${table}
table inet ${table} {
  chain input {
    type filter hook input priority filter - 10; policy accept;
    iifname "${tun}" counter drop
  }
  chain forward {
    type filter hook forward priority filter - 10; policy accept;
    iifname "${tun}" meta nfproto ipv4 ip saddr != ${pool.ipv4} counter drop
${
  six === undefined
    ? `    iifname "${tun}" meta nfproto ipv6 counter drop`
    : `    iifname "${tun}" meta nfproto ipv6 ip6 saddr != ${six} counter drop`
}
${strangers.join('')}${edge.clientToClient ? '' : `    iifname "${tun}" oifname "${tun}" counter drop\n`}  }
${
  edge.snat
    ? `  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ${leaving.join('\n    ')}
  }
`
    : ''
}}
`;
}
