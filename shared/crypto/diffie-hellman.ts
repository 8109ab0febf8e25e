import { diffieHellman, generateKeyPair, type KeyObject } from 'node:crypto';
import {
  type EcpGroup,
  ecpName,
  ecpOctets,
  ecpOnCurve,
  ecpPublicKey,
  ecpPublicValue,
  ecpSharedOctets,
} from './ecp.ts';
import {
  leftPadded,
  type ModpGroup,
  modpInRange,
  modpName,
  modpOctets,
  modpPublicKey,
  modpPublicValue,
} from './modp.ts';
import { Secret } from './secret.ts';
import { requireUsable } from './usable.ts';

/** IANA group numbers, the same in IKEv1 and IKEv2. */
export type DhGroup = ModpGroup | EcpGroup;

export const DH_GROUPS: readonly DhGroup[] = [2, 5, 14, 15, 16, 19, 20, 21];

/** Why a peer's public value is refused. */
export type DhFault = 'bad-length' | 'out-of-range' | 'not-on-curve';

export type DhAgreement =
  | { readonly ok: true; readonly sharedSecret: Secret }
  | { readonly ok: false; readonly reason: DhFault };

export type DhResponse =
  | { readonly ok: true; readonly publicValue: Uint8Array; readonly sharedSecret: Secret }
  | { readonly ok: false; readonly reason: DhFault };

export function isDhGroup(group: number): group is DhGroup {
  return DH_GROUPS.some((known) => known === group);
}

/** Length of a KE payload's body in this group, in octets. */
export function publicValueOctets(group: DhGroup): number {
  return isEcp(group) ? ecpOctets(group) : modpOctets(group);
}

/** RFC 6989: what must hold of a peer's value before any use. Cheap enough for the event loop. */
export function checkPublicValue(group: DhGroup, publicValue: Uint8Array): DhFault | undefined {
  if (publicValue.length !== publicValueOctets(group)) return 'bad-length';
  if (isEcp(group)) return ecpOnCurve(group, publicValue) ? undefined : 'not-on-curve';
  return modpInRange(group, publicValue) ? undefined : 'out-of-range';
}

/**
 * One private value, used for one agreement and then dropped. It stays inside OpenSSL: nothing of this
 * class prints, serialises or exports it.
 */
export class DhKey {
  readonly group: DhGroup;
  readonly publicValue: Uint8Array;
  #privateKey: KeyObject | undefined;

  constructor(group: DhGroup, publicValue: Uint8Array, privateKey: KeyObject) {
    this.group = group;
    this.publicValue = publicValue;
    this.#privateKey = privateKey;
  }

  async agree(peerValue: Uint8Array): Promise<DhAgreement> {
    const reason = checkPublicValue(this.group, peerValue);
    if (reason !== undefined) return { ok: false, reason };
    const privateKey = this.#privateKey;
    if (privateKey === undefined) throw new Error('a Diffie-Hellman private value is used once');
    this.#privateKey = undefined;
    const shared = await derive(privateKey, importPublic(this.group, peerValue));
    const octets = isEcp(this.group) ? ecpSharedOctets(this.group) : modpOctets(this.group);
    // RFC 2409 §5: g^xy is as long as the prime; one in 256 has leading zeros.
    const sharedSecret = new Secret(leftPadded(shared, octets));
    shared.fill(0);
    return { ok: true, sharedSecret };
  }
}

/** Runs in libuv's thread pool; the event loop pays about 0.1 ms. */
export async function generateDhKey(group: DhGroup): Promise<DhKey> {
  requireUsable(`group-${group}`);
  const { publicKey, privateKey } = await generate(group);
  const publicValue = isEcp(group) ? ecpPublicValue(publicKey) : modpPublicValue(group, publicKey);
  return new DhKey(group, publicValue, privateKey);
}

/** A responder's whole part: our value and g^xy for the peer's, which is checked before any work is done. */
export async function respondDh(group: DhGroup, peerValue: Uint8Array): Promise<DhResponse> {
  const reason = checkPublicValue(group, peerValue);
  if (reason !== undefined) return { ok: false, reason };
  const key = await generateDhKey(group);
  const agreement = await key.agree(peerValue);
  return agreement.ok ? { ...agreement, publicValue: key.publicValue } : agreement;
}

function isEcp(group: DhGroup): group is EcpGroup {
  return group >= 19;
}

function importPublic(group: DhGroup, value: Uint8Array): KeyObject {
  return isEcp(group) ? ecpPublicKey(group, value) : modpPublicKey(group, value);
}

type KeyPairCallback = (error: Error | null, publicKey: KeyObject, privateKey: KeyObject) => void;

/** Node documents `dh` with a named group; @types/node 24.19 lists no overload for it. */
const generateDh = generateKeyPair as unknown as (
  type: 'dh',
  options: { readonly group: string },
  done: KeyPairCallback,
) => void;

function generate(group: DhGroup): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  return new Promise((resolve, reject) => {
    const done: KeyPairCallback = (error, publicKey, privateKey) =>
      error === null ? resolve({ publicKey, privateKey }) : reject(error);
    if (isEcp(group)) generateKeyPair('ec', { namedCurve: ecpName(group) }, done);
    else generateDh('dh', { group: modpName(group) }, done);
  });
}

function derive(privateKey: KeyObject, publicKey: KeyObject): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    diffieHellman({ privateKey, publicKey }, (error, secret) =>
      error === null ? resolve(secret) : reject(error),
    );
  });
}
