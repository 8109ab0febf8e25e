import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concat } from '@culvert/wire';
import { type KeyOctets, keyObjectOf } from './secret.ts';
import { requireUsable } from './usable.ts';

/** RFC 2409 appendix A and RFC 3602: the ciphers of an ISAKMP SA. */
export type CbcCipher = 'aes-cbc-128' | 'aes-cbc-192' | 'aes-cbc-256' | '3des-cbc';

interface CbcShape {
  readonly node: string;
  readonly key: number;
  readonly block: number;
}

const SHAPES: Readonly<Record<CbcCipher, CbcShape>> = {
  'aes-cbc-128': { node: 'aes-128-cbc', key: 16, block: 16 },
  'aes-cbc-192': { node: 'aes-192-cbc', key: 24, block: 16 },
  'aes-cbc-256': { node: 'aes-256-cbc', key: 32, block: 16 },
  '3des-cbc': { node: 'des-ede3-cbc', key: 24, block: 8 },
};

export function cbcKeyOctets(cipher: CbcCipher): number {
  return SHAPES[cipher].key;
}

export function cbcBlockOctets(cipher: CbcCipher): number {
  return SHAPES[cipher].block;
}

export interface CbcResult {
  readonly octets: Uint8Array;
  /** The last ciphertext block: the IV of the exchange's next message (RFC 2409 appendix B). */
  readonly nextIv: Uint8Array;
}

/** Pads with zeros to the block, as ISAKMP does: the payload lengths tell where the message ends. */
export function encryptCbc(cipher: CbcCipher, key: KeyOctets, iv: Uint8Array, plain: Uint8Array): CbcResult {
  requireUsable(cipher);
  const shape = SHAPES[cipher];
  const context = createCipheriv(shape.node, keyObjectOf(key), iv).setAutoPadding(false);
  const padded = new Uint8Array(Math.ceil(plain.length / shape.block) * shape.block);
  padded.set(plain);
  const octets = concat(context.update(padded), context.final());
  return { octets, nextIv: octets.length === 0 ? iv : octets.slice(-shape.block) };
}

/** The plaintext with its padding, or undefined when the length is not a positive number of blocks. */
export function decryptCbc(
  cipher: CbcCipher,
  key: KeyOctets,
  iv: Uint8Array,
  octets: Uint8Array,
): CbcResult | undefined {
  requireUsable(cipher);
  const shape = SHAPES[cipher];
  if (octets.length === 0 || octets.length % shape.block !== 0) return undefined;
  const context = createDecipheriv(shape.node, keyObjectOf(key), iv).setAutoPadding(false);
  return { octets: concat(context.update(octets), context.final()), nextIv: octets.slice(-shape.block) };
}
