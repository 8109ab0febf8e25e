import { createDecipheriv } from 'node:crypto';
import { ESP_HEADER_OCTETS, parseEspHeader, parseEspPlain } from '@culvert/wire/esp';
import { additionalData, highHalf, inferred } from './extended.ts';
import { type EspTransform, fits, icvHolds } from './transform.ts';
import { accepted, freshness, type ReplayWindow } from './window.ts';

export type EspFault = 'esp-length' | 'esp-replayed' | 'esp-too-old' | 'esp-icv' | 'esp-trailer';

/** `window` is the one to keep from now on: a fault behind the ICV still uses its number up. */
export type EspOpened =
  | {
      readonly ok: true;
      readonly payload: Uint8Array;
      readonly nextHeader: number;
      readonly sequence: number;
      /** No authenticated packet has had a higher number. */
      readonly newest: boolean;
      readonly window: ReplayWindow;
    }
  | { readonly ok: false; readonly fault: EspFault; readonly window: ReplayWindow };

/**
 * RFC 4303 §3.4, in this order: length, replay check, ICV, decryption, trailer; the window moves only
 * for what the ICV vouched for (§3.4.3). `packet` runs from the SPI to the ICV and stays as it is.
 */
export function openEsp(transform: EspTransform, window: ReplayWindow, packet: Uint8Array): EspOpened {
  const header = parseEspHeader(packet);
  if (!header.ok || !fits(transform, packet.length)) return { ok: false, fault: 'esp-length', window };
  const low = header.value.sequence;
  const sequence = transform.esn ? inferred(window, low) : low;
  const age = freshness(window, sequence);
  if (age === 'replayed') return { ok: false, fault: 'esp-replayed', window };
  if (age === 'too-old') return { ok: false, fault: 'esp-too-old', window };
  const plain = authenticated(transform, packet, sequence);
  if (plain === undefined) return { ok: false, fault: 'esp-icv', window };
  const moved = accepted(window, sequence);
  const read = parseEspPlain(plain);
  if (!read.ok) return { ok: false, fault: 'esp-trailer', window: moved };
  return { ok: true, ...read.value, sequence, newest: age === 'newest', window: moved };
}

/** The decrypted body, or undefined when the ICV does not vouch for the packet. */
function authenticated(
  transform: EspTransform,
  packet: Uint8Array,
  sequence: number,
): Uint8Array | undefined {
  const bodyAt = ESP_HEADER_OCTETS + transform.ivOctets;
  const bodyEnd = packet.length - transform.icvOctets;
  const iv = packet.subarray(ESP_HEADER_OCTETS, bodyAt);
  const body = packet.subarray(bodyAt, bodyEnd);
  const icv = packet.subarray(bodyEnd);
  const high = transform.esn ? highHalf(sequence) : new Uint8Array(0);
  if (transform.mode === 'cbc') {
    if (!icvHolds(transform, packet.subarray(0, bodyEnd), icv, high)) return undefined;
    const decipher = createDecipheriv(transform.cipher, transform.key, iv).setAutoPadding(false);
    const plain = decipher.update(body);
    decipher.final();
    return plainOctets(plain);
  }
  const nonce = new Uint8Array(12);
  nonce.set(transform.salt);
  nonce.set(iv, 4);
  const options = { authTagLength: transform.icvOctets };
  const decipher = createDecipheriv(transform.cipher, transform.key, nonce, options);
  decipher.setAAD(additionalData(packet, high), { plaintextLength: body.length });
  decipher.setAuthTag(icv);
  const plain = decipher.update(body);
  try {
    decipher.final();
  } catch {
    // The only way in which node:crypto says that the tag is wrong.
    return undefined;
  }
  return plainOctets(plain);
}

/** Without Buffer's own `slice`, which would share memory where everyone else's copies. */
function plainOctets(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
