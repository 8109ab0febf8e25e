import { decode, encode } from '@culvert/bus';
import { buckets } from '@culvert/contracts';
import { placeOf } from '@culvert/crypto';
import type { Sealer } from '@culvert/host';
import type { Instant } from '@culvert/kernel';
import { z } from 'zod';

/** Who has an address, or had it last. Sealed: it ties a person to an address. */
const leaseRecord = z.object({
  address: z.string(),
  session: z.string(),
  call: z.number(),
  user: z.string(),
  at: z.number(),
  /** Given back at this time; only the same user may have it before the quarantine is over. */
  releasedAt: z.number().optional(),
});

export interface LeaseRecord {
  /** IPv4 dotted, or the /64 in RFC 5952 form. */
  readonly address: string;
  readonly session: string;
  readonly call: number;
  readonly user: string;
  readonly at: Instant;
  readonly releasedAt?: Instant | undefined;
}

/** `4.10.98.0.5`, `6.20010db800000001`: what a bucket's key may hold, and one key per address or /64. */
export function leaseKey(family: 4 | 6, address: string): string {
  return family === 4 ? `4.${address}` : `6.${prefixDigits(address)}`;
}

export function sealLease(sealer: Sealer, key: string, record: LeaseRecord): Uint8Array {
  return sealer.seal(placeOf(buckets.leases, 'state', key), encode(record));
}

/** Undefined: not ours to read; the address counts as taken. */
export function openLease(sealer: Sealer, key: string, sealed: Uint8Array): LeaseRecord | undefined {
  try {
    return leaseRecord.safeParse(decode(sealer.open(placeOf(buckets.leases, 'state', key), sealed))).data;
  } catch {
    return undefined;
  }
}

/** The 64 bits of a /64, 16 hexadecimal digits. `prefix` is in RFC 5952 form and ends with `::`. */
function prefixDigits(prefix: string): string {
  const groups = prefix.replace(/::$/, '').split(':').slice(0, 4);
  return groups
    .concat(['0', '0', '0', '0'])
    .slice(0, 4)
    .map((group) => (group === '' ? '0' : group).padStart(4, '0'))
    .join('');
}
