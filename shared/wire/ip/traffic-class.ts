import { viewOf } from '../octets.ts';
import { checksumUpdated } from './checksum.ts';

/** RFC 3168 §5: the two low bits of the IPv4 TOS octet or the IPv6 traffic class. RFC 2474: DSCP above them. */
export const Ecn = { notEct: 0, ect1: 1, ect0: 2, ce: 3 } as const;

const CHECKSUM_OFFSET = 10;

/** The octet of DSCP and ECN in the header of a packet of either family. */
export function trafficClassOf(packet: Uint8Array): number {
  const word = viewOf(packet).getUint16(0);
  return word >>> 12 === 4 ? word & 0xff : (word >>> 4) & 0xff;
}

/** Sets the ECN bits in place; the IPv4 header checksum follows by RFC 1624. */
export function setEcn(packet: Uint8Array, ecn: number): void {
  const view = viewOf(packet);
  const before = view.getUint16(0);
  const ipv4 = before >>> 12 === 4;
  const after = ipv4 ? (before & ~0x3) | ecn : (before & ~0x30) | (ecn << 4);
  view.setUint16(0, after);
  if (!ipv4) return;
  view.setUint16(CHECKSUM_OFFSET, checksumUpdated(view.getUint16(CHECKSUM_OFFSET), before, after));
}

/**
 * RFC 6040 §4.2, Figure 4: what the inner ECN becomes at the tunnel's end; undefined is a drop, for a transport
 * that does not know ECN hears of congestion in no other way.
 */
export function decapsulatedEcn(inner: number, outer: number): number | undefined {
  if (inner === Ecn.notEct) return outer === Ecn.ce ? undefined : Ecn.notEct;
  if (outer === Ecn.ce) return Ecn.ce;
  return inner === Ecn.ect0 && outer === Ecn.ect1 ? Ecn.ect1 : inner;
}
