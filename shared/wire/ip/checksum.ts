/**
 * RFC 1071: the 16-bit one's complement sum, not yet complemented and not yet folded beyond 32 bits.
 * An odd last octet counts as the high half of a word.
 */
export function sumOf(octets: Uint8Array, from = 0, to = octets.length, initial = 0): number {
  let sum = initial;
  let index = from;
  for (; index + 1 < to; index += 2) sum += ((octets[index] ?? 0) << 8) | (octets[index + 1] ?? 0);
  if (index < to) sum += (octets[index] ?? 0) << 8;
  return sum;
}

function folded(sum: number): number {
  let value = sum;
  while (value > 0xffff) value = (value % 0x10000) + Math.floor(value / 0x10000);
  return value;
}

export function checksumOf(sum: number): number {
  return ~folded(sum) & 0xffff;
}

/** True when the sum over octets that hold their own checksum is right. */
export function sumHolds(sum: number): boolean {
  return folded(sum) === 0xffff;
}

/** RFC 1624 §3, equation 3: the checksum after one 16-bit word changed from `before` to `after`. */
export function checksumUpdated(checksum: number, before: number, after: number): number {
  return checksumOf((~checksum & 0xffff) + (~before & 0xffff) + after);
}

/**
 * RFC 768 and RFC 8200 §8.1: sum of the pseudo-header. Addresses as on the wire, 4 or 16 octets each; the
 * sum is the same for both layouts because the length fits 16 bits here.
 */
export function pseudoHeaderSum(
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
  length: number,
) {
  return sumOf(destination, 0, destination.length, sumOf(source)) + protocol + length;
}
