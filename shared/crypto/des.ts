import { createCipheriv } from 'node:crypto';
import { concat } from '@culvert/wire';
import { keyObjectOf } from './secret.ts';
import { requireUsable } from './usable.ts';

/**
 * One DES block under a 56-bit key (RFC 2759 §8.6). OpenSSL 3 has no single DES outside its legacy
 * provider, but triple DES with three equal keys is the same function.
 */
export function desEncrypt(clear: Uint8Array, key7: Uint8Array): Uint8Array {
  requireUsable('des');
  const key = spread(key7);
  const context = createCipheriv('des-ede3-ecb', keyObjectOf(concat(key, key, key)), null).setAutoPadding(
    false,
  );
  return concat(context.update(clear), context.final());
}

/** Seven octets become eight, seven bits each in the high bits; DES ignores the parity bit below. */
function spread(key7: Uint8Array): Uint8Array {
  const key = new Uint8Array(8);
  for (let index = 0; index < 8; index += 1) {
    const high = index === 0 ? 0 : (key7[index - 1] ?? 0) << (8 - index);
    const low = (key7[index] ?? 0) >>> index;
    key[index] = (high | low) & 0xfe;
  }
  return key;
}
