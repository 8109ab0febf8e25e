import { be16, concat, u16 } from '@culvert/wire';
import { md5 } from './md5.ts';
import { constantTimeEqual, type KeyOctets } from './secret.ts';

const BLOCK_OCTETS = 16;
const LENGTH_OCTETS = 2;
/** RFC 2661 §4.1: ten bits of AVP Length, six octets of header. */
const AVP_VALUE_MAX = 1023 - 6;

/** RFC 2661 §4.3: what hiding an AVP's value depends on. */
export interface HidingKey {
  /** The secret shared by LAC and LNS. */
  readonly secret: KeyOctets;
  /** Attribute Type of the AVP. */
  readonly type: number;
  /** Value of the Random Vector AVP (§4.4.3) that most closely precedes it in the message. */
  readonly randomVector: Uint8Array;
}

/**
 * RFC 2661 §4.3: the hidden form of a value; `padding` octets (random, of any number) hide its length.
 * Too long a value is our own fault.
 */
export function hideAvp(
  key: HidingKey,
  value: Uint8Array,
  padding: Uint8Array = new Uint8Array(),
): Uint8Array {
  const plain = concat(be16(value.length), value, padding);
  if (plain.length > AVP_VALUE_MAX) throw new RangeError('hidden AVP value would exceed the AVP Length');
  const hidden = new Uint8Array(plain.length);
  for (let offset = 0; offset < plain.length; offset += BLOCK_OCTETS) {
    xorBlock(key, plain, hidden, hidden, offset);
  }
  return hidden;
}

/**
 * The original value, or undefined when the length inside does not fit: a wrong secret, or a lie. The
 * inner length is compared with what is there before anything is taken by it.
 */
export function revealAvp(key: HidingKey, hidden: Uint8Array): Uint8Array | undefined {
  if (hidden.length < LENGTH_OCTETS || hidden.length > AVP_VALUE_MAX) return undefined;
  const plain = new Uint8Array(hidden.length);
  for (let offset = 0; offset < hidden.length; offset += BLOCK_OCTETS) {
    xorBlock(key, hidden, plain, hidden, offset);
  }
  const length = u16(plain);
  return length > plain.length - LENGTH_OCTETS
    ? undefined
    : plain.slice(LENGTH_OCTETS, LENGTH_OCTETS + length);
}

/**
 * One block of §4.3: b1 = MD5(Attribute Type | secret | Random Vector), bn = MD5(secret | c(n-1)), where
 * the c are blocks of `cipher`, the hidden side in both directions.
 */
function xorBlock(
  key: HidingKey,
  from: Uint8Array,
  into: Uint8Array,
  cipher: Uint8Array,
  offset: number,
): void {
  const pad =
    offset === 0
      ? md5(be16(key.type), key.secret, key.randomVector)
      : md5(key.secret, cipher.subarray(offset - BLOCK_OCTETS, offset));
  for (let index = 0; index < BLOCK_OCTETS && offset + index < from.length; index += 1) {
    into[offset + index] = (from[offset + index] ?? 0) ^ (pad[index] ?? 0);
  }
}

/**
 * RFC 2661 §4.4.3 and §5.1.1: the Challenge Response AVP. It is CHAP's computation with the Message Type
 * of the message that carries the response in place of the Identifier: 2 for SCCRP, 3 for SCCCN.
 */
export function tunnelAuthResponse(messageType: 2 | 3, secret: KeyOctets, challenge: Uint8Array): Uint8Array {
  return md5(Uint8Array.of(messageType), secret, challenge);
}

export function verifyTunnelAuthResponse(
  messageType: 2 | 3,
  secret: KeyOctets,
  challenge: Uint8Array,
  response: Uint8Array,
): boolean {
  return constantTimeEqual(tunnelAuthResponse(messageType, secret, challenge), response);
}
