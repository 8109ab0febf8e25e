import type { Instant } from '@culvert/kernel';
import { type AddressOctets, ipv4Octets, isIpv4 } from '@culvert/wire/ip';
import * as limits from './limits.ts';
import { fullBucket, type TokenBucket, take } from './token-bucket.ts';

/** What keeps a flood of IKE from the bus. */
export interface Admission {
  all: TokenBucket;
  readonly sources: Map<bigint, { readonly any: TokenBucket; readonly first: TokenBucket }>;
}

export function newAdmission(): Admission {
  return { all: fullBucket(limits.IKE_FIRST_RATE, 0), sources: new Map() };
}

/** `first`: the message has no responder cookie. */
export function admit(admission: Admission, remote: AddressOctets, first: boolean, at: Instant): boolean {
  const source = sourceOf(admission, remote, at);
  if (!take(source.any, limits.IKE_SOURCE_RATE, at)) return false;
  if (!first) return true;
  // The shared bucket last: who is over its own limit shall not use up the others'.
  return (
    take(source.first, limits.IKE_FIRST_SOURCE_RATE, at) && take(admission.all, limits.IKE_FIRST_RATE, at)
  );
}

function sourceOf(admission: Admission, remote: AddressOctets, at: Instant) {
  const key = sourceKey(remote);
  const known = admission.sources.get(key);
  if (known !== undefined) return known;
  if (admission.sources.size >= limits.IKE_SOURCES_MAX) {
    const [oldest] = admission.sources.keys();
    if (oldest !== undefined) admission.sources.delete(oldest);
  }
  const fresh = {
    any: fullBucket(limits.IKE_SOURCE_RATE, at),
    first: fullBucket(limits.IKE_FIRST_SOURCE_RATE, at),
  };
  admission.sources.set(key, fresh);
  return fresh;
}

/** An IPv4 address, or an IPv6 /64: who has one address of it has all. */
function sourceKey(remote: AddressOctets): bigint {
  const view = new DataView(remote.buffer, remote.byteOffset, remote.byteLength);
  // The two families cannot meet: no global IPv6 prefix has 32 leading zero bits.
  return isIpv4(remote)
    ? BigInt(view.getUint32(remote.length - ipv4Octets(remote).length))
    : view.getBigUint64(0);
}
