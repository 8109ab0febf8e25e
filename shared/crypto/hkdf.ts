import { hkdfSync } from 'node:crypto';
import { requireUsable } from './usable.ts';

/** RFC 5869 with SHA-256 and no salt: every root key here is uniform already. `info` names the purpose. */
export function hkdf(root: Uint8Array, info: string, octets: number): Uint8Array {
  requireUsable('hkdf-sha2-256');
  return new Uint8Array(hkdfSync('sha256', root, new Uint8Array(), new TextEncoder().encode(info), octets));
}
