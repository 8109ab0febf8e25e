import { createHash } from 'node:crypto';
import { type KeyOctets, octetsOf } from './secret.ts';
import { requireUsable } from './usable.ts';

/** RFC 1321, only where RFC 1994 and RFC 2661 demand it; not exported from the package. */
export function md5(...parts: readonly KeyOctets[]): Uint8Array {
  requireUsable('md5');
  const context = createHash('md5');
  for (const part of parts) context.update(octetsOf(part));
  const octets = context.digest();
  return new Uint8Array(octets.buffer, octets.byteOffset, octets.byteLength);
}
