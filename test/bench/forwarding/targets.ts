/** What the packet path is to reach, by the key of a row. */
export interface Target {
  readonly atLeast?: number;
  readonly atMost?: number;
}

export const TARGETS: Readonly<Record<string, Target>> = {
  tcp1_ratio_to_prototype: { atLeast: 0.8 },
  tcp1r_ratio_to_prototype: { atLeast: 0.8 },
  ratio_to_openvpn: { atLeast: 8 },
  ratio_to_openvpn_down: { atLeast: 8 },
  ratio_to_libipsec: { atLeast: 9 },
  ratio_to_libipsec_down: { atLeast: 9 },
  ratio_to_wireguard_go: { atLeast: 2.5 },
  ratio_to_wireguard_go_down: { atLeast: 2.5 },
  cbc_sha1_ratio_to_gcm: { atLeast: 0.75 },
  cbc_sha256_ratio_to_gcm: { atLeast: 0.65 },
  openssl_ratio_to_ipsec_mb: { atLeast: 0.7 },
  split_ratio_to_prototype: { atLeast: 0.8 },
  small_cpu_ratio_seal: { atMost: 1.25 },
  small_cpu_ratio_open: { atMost: 1.25 },
  two_queue_ratio: { atLeast: 1.25 },
  sessions_10000_ratio: { atLeast: 0.9 },
  sessions_10000_cpu_ratio: { atLeast: 0.9 },
  ipv6_ratio: { atLeast: 0.9 },
  latency_p50_us: { atMost: 50 },
  latency_p99_us: { atMost: 200 },
  memory_per_sa_octets: { atMost: 4_096 },
};

export function met({ atLeast, atMost }: Target, measured: number): boolean {
  return (
    measured >= (atLeast ?? Number.NEGATIVE_INFINITY) && measured <= (atMost ?? Number.POSITIVE_INFINITY)
  );
}

export function shown({ atLeast, atMost }: Target): string {
  return atLeast === undefined ? `<= ${atMost}` : `>= ${atLeast}`;
}
