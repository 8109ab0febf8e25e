import { invariant } from '@culvert/kernel';
import { ipv4Octets, isIpv4, parseAddress } from '@culvert/wire/ip';

/** 4 or 16 octets of an address that the edge reported: an unreadable one is our own fault. */
export function addressOctets(text: string): Uint8Array {
  const address = parseAddress(text);
  invariant(address.ok, 'the edge reports addresses as text');
  return isIpv4(address.value) ? ipv4Octets(address.value).slice() : address.value;
}

/** What per-source limits count by: an IPv4 address, or the /64 of an IPv6 one. */
export function sourceKey(text: string): string {
  const address = parseAddress(text);
  if (!address.ok || isIpv4(address.value)) return text;
  return address.value.subarray(0, 8).join('.');
}
