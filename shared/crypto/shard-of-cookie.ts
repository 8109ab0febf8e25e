import { u32 } from '@culvert/wire';
import type { ClusterKey } from './cluster-key.ts';
import { hkdf } from './hkdf.ts';
import { prf } from './prf.ts';
import { type KeyOctets, Secret } from './secret.ts';

/** The same on every node of a cluster and after every start, and good for nothing but `shardOfCookie`. */
export function shardKeyOf({ current }: ClusterKey): Secret {
  return new Secret(hkdf(current.expose(), 'culvert shard key', 32));
}

/**
 * The shard that handles a first IKE message, whose responder cookie is still zero: ten bits of a keyed
 * hash of the initiator cookie, so that a sender cannot aim at a shard. Every node computes the same.
 */
export function shardOfCookie(shardKey: KeyOctets, initiatorCookie: Uint8Array): number {
  return u32(prf('sha2-256', shardKey, LABEL, initiatorCookie)) >>> 22;
}

const LABEL = new TextEncoder().encode('culvert shard of initiator cookie');
