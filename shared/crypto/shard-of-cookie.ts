import { u32 } from '@culvert/wire';
import { prf } from './prf.ts';
import type { KeyOctets } from './secret.ts';

/**
 * The shard that handles a first IKE message, whose responder cookie is still zero: ten bits of a keyed
 * hash of the initiator cookie, so that a sender cannot aim at a shard. Every node computes the same.
 */
export function shardOfCookie(clusterKey: KeyOctets, initiatorCookie: Uint8Array): number {
  return u32(prf('sha2-256', clusterKey, LABEL, initiatorCookie)) >>> 22;
}

const LABEL = new TextEncoder().encode('culvert shard of initiator cookie');
