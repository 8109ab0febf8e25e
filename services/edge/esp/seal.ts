import { createCipheriv } from 'node:crypto';
import { ESP_HEADER_OCTETS, emitEspHeader, emitEspTrailer, espPlainLength } from '@culvert/wire/esp';
import { additionalData, highHalf } from './extended.ts';
import type { IvSource } from './iv.ts';
import { type EspTransform, icvOf } from './transform.ts';

export interface SealInput {
  readonly spi: number;
  /** With extended numbers all of it, of which the packet and the IV hold the low 32 bits. */
  readonly sequence: number;
  readonly nextHeader: number;
  readonly payload: Uint8Array;
}

/** RFC 4303 §3.3: one whole ESP packet, from SPI to ICV. */
export function sealEsp(transform: EspTransform, input: SealInput, ivs: IvSource): Uint8Array {
  const bodyAt = ESP_HEADER_OCTETS + transform.ivOctets;
  const plainOctets = espPlainLength(input.payload.length, transform.blockOctets);
  const packet = new Uint8Array(bodyAt + plainOctets + transform.icvOctets);
  emitEspHeader(input, packet);
  const iv =
    transform.mode === 'gcm'
      ? ivs.unique(input.sequence)
      : ivs.unpredictable(input.spi, input.sequence, transform.ivOctets);
  packet.set(iv, ESP_HEADER_OCTETS);
  const plain = new Uint8Array(plainOctets);
  plain.set(input.payload);
  emitEspTrailer(plain, input.payload.length, plainOctets, input.nextHeader);
  const bodyEnd = bodyAt + plainOctets;
  const high = transform.esn ? highHalf(input.sequence) : new Uint8Array(0);
  if (transform.mode === 'gcm') {
    // RFC 4106 §4: the nonce is salt and IV; §5: SPI and sequence number are authenticated as AAD.
    const nonce = new Uint8Array(12);
    nonce.set(transform.salt);
    nonce.set(iv, 4);
    const cipher = createCipheriv(transform.cipher, transform.key, nonce, {
      authTagLength: transform.icvOctets,
    });
    cipher.setAAD(additionalData(packet, high), { plaintextLength: plainOctets });
    packet.set(cipher.update(plain), bodyAt);
    cipher.final();
    packet.set(cipher.getAuthTag(), bodyEnd);
  } else {
    const cipher = createCipheriv(transform.cipher, transform.key, iv).setAutoPadding(false);
    packet.set(cipher.update(plain), bodyAt);
    cipher.final();
    packet.set(icvOf(transform, packet.subarray(0, bodyEnd), high), bodyEnd);
  }
  return packet;
}

/** How long `sealEsp` makes a payload. */
export function sealedLength(transform: EspTransform, payloadOctets: number): number {
  return (
    ESP_HEADER_OCTETS +
    transform.ivOctets +
    espPlainLength(payloadOctets, transform.blockOctets) +
    transform.icvOctets
  );
}

/** The longest payload whose sealed packet has at most `octets`. */
export function payloadRoom(transform: EspTransform, octets: number): number {
  const body = octets - ESP_HEADER_OCTETS - transform.ivOctets - transform.icvOctets;
  const unit = Math.max(4, transform.blockOctets);
  return Math.floor(body / unit) * unit - 2;
}
