/**
 * Every subject in one place. `shard` is a decimal number 0..1023 or `*`; `node` a node's name.
 * Client packets are plain publications, at most once; requests are answered.
 */
export const subjects = {
  ike: {
    packet: (shard: number | '*') => `culvert.ike.packet.${shard}`,
    request: (shard: number | '*') => `culvert.ike.request.${shard}`,
  },
  l2tp: {
    packet: (shard: number | '*') => `culvert.l2tp.packet.${shard}`,
    request: (shard: number | '*') => `culvert.l2tp.request.${shard}`,
  },
  ppp: {
    packet: (shard: number | '*') => `culvert.ppp.packet.${shard}`,
    request: (shard: number | '*') => `culvert.ppp.request.${shard}`,
  },
  aaa: {
    offer: 'culvert.aaa.offer',
    authenticate: 'culvert.aaa.authenticate',
    lease: 'culvert.aaa.lease',
    release: 'culvert.aaa.release',
  },
  edge: {
    /** Answers go back through the node that received the question. */
    ike: (node: string) => `culvert.edge.ike.${node}`,
    l2tp: (shard: number | '*') => `culvert.edge.l2tp.${shard}`,
    ppp: (shard: number | '*') => `culvert.edge.ppp.${shard}`,
    activity: (shard: number | '*') => `culvert.edge.activity.${shard}`,
  },
  admin: {
    /** Requests; every service answers `status`, those with sessions also the other two. */
    status: (service: ServiceName) => `culvert.admin.${service}.status`,
    sessions: (service: ServiceName) => `culvert.admin.${service}.sessions`,
    session: (service: ServiceName) => `culvert.admin.${service}.session`,
  },
} as const;

export type ServiceName = 'edge' | 'ike' | 'l2tp' | 'ppp' | 'aaa';

/** KV buckets; the key of a session's record is `<shard>.<session id>`. */
export const buckets = {
  ike: 'culvert_ike',
  l2tp: 'culvert_l2tp',
  ppp: 'culvert_ppp',
  /** Who owns the sessions of a bucket, one key per bucket; the entry's revision is the owner's epoch. */
  owners: 'culvert_owners',
  /** Address leases, one key per address. */
  leases: 'culvert_leases',
  /** Reserved ESP sequence numbers, key `<shard>.<session id>.<outbound SPI>`. */
  sequences: 'culvert_sequences',
} as const;

export function recordKey(shard: number, session: string): string {
  return `${shard}.${session}`;
}
