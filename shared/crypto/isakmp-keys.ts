import { be16, be32, concat } from '@culvert/wire';
import { digest, type HashName, hashOctets, prf } from './prf.ts';
import type { KeyOctets } from './secret.ts';

/** CKY-I and CKY-R of RFC 2409 §3.2, eight octets each. */
export interface Cookies {
  readonly initiator: Uint8Array;
  readonly responder: Uint8Array;
}

/** RFC 2409 §5. Each as long as the hash; kept only in the sealed vault of the session. */
export interface Skeyids {
  readonly skeyid: Uint8Array;
  readonly d: Uint8Array;
  readonly a: Uint8Array;
  readonly e: Uint8Array;
}

/** RFC 2409 §5.4, pre-shared keys: SKEYID = prf(pre-shared-key, Ni_b | Nr_b). */
export function skeyidOfPsk(
  hash: HashName,
  psk: KeyOctets,
  nonceI: Uint8Array,
  nonceR: Uint8Array,
): Uint8Array {
  return prf(hash, psk, nonceI, nonceR);
}

/** RFC 2409 §5: SKEYID_d, SKEYID_a and SKEYID_e from SKEYID and g^xy. */
export function skeyids(
  hash: HashName,
  skeyid: Uint8Array,
  sharedSecret: KeyOctets,
  cookies: Cookies,
): Skeyids {
  const d = prf(hash, skeyid, sharedSecret, cookies.initiator, cookies.responder, Uint8Array.of(0));
  const a = prf(hash, skeyid, d, sharedSecret, cookies.initiator, cookies.responder, Uint8Array.of(1));
  const e = prf(hash, skeyid, a, sharedSecret, cookies.initiator, cookies.responder, Uint8Array.of(2));
  return { skeyid, d, a, e };
}

/**
 * RFC 2409 appendix B: the cipher key is the first octets of SKEYID_e, or, where that is too short, of
 * K1 | K2 | ... with K1 = prf(SKEYID_e, 0) and Kn = prf(SKEYID_e, Kn-1).
 */
export function encryptionKey(hash: HashName, skeyidE: Uint8Array, octets: number): Uint8Array {
  if (octets <= skeyidE.length) return skeyidE.slice(0, octets);
  const blocks: Uint8Array[] = [];
  let block: Uint8Array = Uint8Array.of(0);
  for (let have = 0; have < octets; have += hashOctets(hash)) {
    block = prf(hash, skeyidE, block);
    blocks.push(block);
  }
  return concat(...blocks).slice(0, octets);
}

/** RFC 2409 appendix B: the IV of the first encrypted phase 1 message. */
export function initialIv(
  hash: HashName,
  publicI: Uint8Array,
  publicR: Uint8Array,
  blockOctets: number,
): Uint8Array {
  return digest(hash, publicI, publicR).slice(0, blockOctets);
}

/** RFC 2409 appendix B: the first IV of a phase 2 or informational exchange. */
export function phase2Iv(hash: HashName, lastPhase1Block: Uint8Array, messageId: number): Uint8Array {
  return digest(hash, lastPhase1Block, be32(messageId)).slice(0, lastPhase1Block.length);
}

export interface KeymatInput {
  readonly hash: HashName;
  readonly skeyidD: Uint8Array;
  /** g(qm)^xy: with it, perfect forward secrecy. */
  readonly sharedSecret?: KeyOctets | undefined;
  /** Protocol-Id of the proposal: 3 for ESP. */
  readonly protocol: number;
  /** SPI of the SA's receiving end, so each direction has its own KEYMAT. */
  readonly spi: number;
  readonly nonceI: Uint8Array;
  readonly nonceR: Uint8Array;
}

/** RFC 2409 §5.5: KEYMAT = K1 | K2 | ..., with or without g(qm)^xy. */
export function keymat(input: KeymatInput, octets: number): Uint8Array {
  const secret = input.sharedSecret === undefined ? [] : [input.sharedSecret];
  const seed = [...secret, Uint8Array.of(input.protocol), be32(input.spi), input.nonceI, input.nonceR];
  const blocks: Uint8Array[] = [];
  for (let have = 0; have < octets; have += hashOctets(input.hash)) {
    const previous = blocks.at(-1);
    blocks.push(prf(input.hash, input.skeyidD, ...(previous === undefined ? seed : [previous, ...seed])));
  }
  return concat(...blocks).slice(0, octets);
}

/** RFC 3947 §3.2: HASH = hash(CKY-I | CKY-R | IP | Port); `address` has 4 or 16 octets. */
export function natDetectionHash(
  hash: HashName,
  cookies: Cookies,
  address: Uint8Array,
  port: number,
): Uint8Array {
  return digest(hash, cookies.initiator, cookies.responder, address, be16(port));
}
