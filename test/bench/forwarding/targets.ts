/** What the packet path is to reach, by the key of a row. */
export interface Target {
  readonly atLeast?: number;
  readonly atMost?: number;
}

export const TARGETS: Readonly<Record<string, Target>> = {
  tcp1_ratio_to_prototype: { atLeast: 0.9 },
  tcp1r_ratio_to_prototype: { atLeast: 0.9 },
  ratio_to_openvpn: { atLeast: 9 },
  ratio_to_openvpn_down: { atLeast: 9 },
  ratio_to_libipsec: { atLeast: 9 },
  ratio_to_libipsec_down: { atLeast: 9 },
  ratio_to_wireguard_go: { atLeast: 2.8 },
  ratio_to_wireguard_go_down: { atLeast: 2.8 },
  cbc_sha1_ratio_to_gcm: { atLeast: 0.75 },
  cbc_sha256_ratio_to_gcm: { atLeast: 0.65 },
  openssl_ratio_to_ipsec_mb: { atLeast: 0.7 },
  split_ratio_to_prototype: { atLeast: 0.95 },
  small_cpu_ratio_seal: { atMost: 1.15 },
  small_cpu_ratio_open: { atMost: 1.15 },
  two_queue_ratio: { atLeast: 1.3 },
  sessions_10000_ratio: { atLeast: 0.85 },
  sessions_10000_cpu_ratio: { atLeast: 0.85 },
  ipv6_ratio: { atLeast: 0.95 },
  latency_p50_us: { atMost: 60 },
  latency_p99_us: { atMost: 500 },
  memory_per_sa_octets: { atMost: 2_048 },
};

export function met({ atLeast, atMost }: Target, measured: number): boolean {
  return (
    measured >= (atLeast ?? Number.NEGATIVE_INFINITY) && measured <= (atMost ?? Number.POSITIVE_INFINITY)
  );
}

export function shown({ atLeast, atMost }: Target): string {
  return atLeast === undefined ? `<= ${atMost}` : `>= ${atLeast}`;
}
