import { emitIpv4Header, type Ipv4Packet } from './ipv4.ts';

/** Options with this bit go into every fragment (RFC 791 §3.1). */
const COPIED = 0x80;

/**
 * RFC 791 §2.3: cuts a packet into fragments of at most `mtu` octets each. A fragment may be cut again:
 * its offset and More Fragments carry over. Options that are not copied stay with the first fragment.
 */
export function fragmentIpv4(packet: Ipv4Packet, mtu: number): Uint8Array[] {
  const later = copiedOptions(packet.options);
  const out: Uint8Array[] = [];
  let from = 0;
  while (from < packet.payload.length) {
    const options = from === 0 ? packet.options : later;
    const room = (mtu - 20 - options.length) & ~7;
    if (room < 8) return [];
    const last = packet.payload.length - from <= mtu - 20 - options.length;
    const length = last ? packet.payload.length - from : room;
    const fragment = new Uint8Array(20 + options.length + length);
    const header = {
      ...packet,
      options,
      moreFragments: packet.moreFragments || !last,
      fragmentOffset: packet.fragmentOffset + from,
    };
    const at = emitIpv4Header(header, length, fragment);
    fragment.set(packet.payload.subarray(from, from + length), at);
    out.push(fragment);
    from += length;
  }
  return out;
}

function copiedOptions(options: Uint8Array): Uint8Array {
  const kept: number[] = [];
  let offset = 0;
  while (offset < options.length) {
    const type = options[offset] ?? 0;
    if (type === 0) break;
    const length = type === 1 ? 1 : (options[offset + 1] ?? 0);
    if (length < (type === 1 ? 1 : 2) || offset + length > options.length) break;
    if ((type & COPIED) !== 0) kept.push(...options.subarray(offset, offset + length));
    offset += length;
  }
  while (kept.length % 4 !== 0) kept.push(0);
  return Uint8Array.from(kept);
}
