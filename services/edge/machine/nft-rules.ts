import type { Config } from '@culvert/config';

/** One table per tun, so that several gateways can share a kernel in tests. */
export function nftTable(tun: string): string {
  return `culvert_${tun.replaceAll(/[^A-Za-z0-9_]/g, '_')}`;
}

/**
 * The second wall behind the engine's policy: nothing from the tun reaches a local port, clients do not
 * reach each other, and only leased sources leave. The two lines in front make the script repeatable.
 */
export function nftRules(config: Config, tun: string): string {
  const { pool, edge } = config;
  const table = nftTable(tun);
  const six = pool.ipv6;
  const masquerade = [
    `iifname "${tun}" ip saddr ${pool.ipv4} oifname != "${tun}" masquerade`,
    ...(six === undefined ? [] : [`iifname "${tun}" ip6 saddr ${six} oifname != "${tun}" masquerade`]),
  ];
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
${edge.clientToClient ? '' : `    iifname "${tun}" oifname "${tun}" counter drop\n`}  }
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
