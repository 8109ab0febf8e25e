import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { EspKeys } from '@culvert/contracts';
import { be32, concat, equal, u16, u32 } from '@culvert/wire';
import type { PeerSa } from './ike-initiator.ts';

const UDP = 17;
const HASHES = {
  none: ['', 0],
  'hmac-sha1-96': ['sha1', 12],
  'hmac-sha2-256-128': ['sha256', 16],
  'hmac-sha2-384-192': ['sha384', 24],
  'hmac-sha2-512-256': ['sha512', 32],
} as const;
const CIPHERS = {
  'aes-cbc-128': 'aes-128-cbc',
  'aes-cbc-192': 'aes-192-cbc',
  'aes-cbc-256': 'aes-256-cbc',
  '3des-cbc': 'des-ede3-cbc',
  'aes-gcm-16-128': 'aes-128-gcm',
  'aes-gcm-16-256': 'aes-256-gcm',
} as const;

/** The client's end of one SA pair (RFC 4303, transport mode), straight over `node:crypto`. */
export class EspEnd {
  readonly sa: PeerSa;
  #sequence = 0;
  #received = new Map<number, Uint8Array>();

  constructor(sa: PeerSa) {
    this.sa = sa;
  }

  /** `payload` is a UDP datagram with its header. */
  seal(payload: Uint8Array): Uint8Array {
    this.#sequence += 1;
    const { outboundSpi, outbound, suite } = this.sa;
    const header = concat(be32(outboundSpi), be32(this.#sequence));
    const gcm = suite.integrity === 'none';
    const block = gcm ? 4 : suite.encryption === '3des-cbc' ? 8 : 16;
    const padding = (block - ((payload.length + 2) % block)) % block;
    const pad = Uint8Array.from({ length: padding }, (_, index) => index + 1);
    const plain = concat(payload, pad, Uint8Array.of(padding, UDP));
    return gcm ? this.#sealGcm(header, plain) : this.#sealCbc(header, plain, outbound, block);
  }

  #sealGcm(header: Uint8Array, plain: Uint8Array): Uint8Array {
    const { outbound, suite } = this.sa;
    const iv = concat(be32(0x50454552), be32(this.#sequence));
    const cipher = createCipheriv(
      CIPHERS[suite.encryption] as 'aes-256-gcm',
      outbound.encryption,
      concat(outbound.salt, iv),
    );
    cipher.setAAD(header);
    const sealed = concat(cipher.update(plain), cipher.final());
    return concat(header, iv, sealed, cipher.getAuthTag());
  }

  #sealCbc(header: Uint8Array, plain: Uint8Array, keys: EspKeys, block: number): Uint8Array {
    const iv = randomBytes(block);
    const cipher = createCipheriv(CIPHERS[this.sa.suite.encryption], keys.encryption, iv).setAutoPadding(
      false,
    );
    const octets = concat(header, iv, cipher.update(plain), cipher.final());
    return concat(octets, this.#icv(octets, keys));
  }

  #icv(octets: Uint8Array, keys: EspKeys): Uint8Array {
    const [hash, length] = HASHES[this.sa.suite.integrity];
    return createHmac(hash, keys.integrity).update(octets).digest().subarray(0, length);
  }

  /** The UDP datagram inside; undefined when the packet does not authenticate. A replayed sequence throws. */
  open(packet: Uint8Array): Uint8Array | undefined {
    const plain = this.sa.suite.integrity === 'none' ? this.#openGcm(packet) : this.#openCbc(packet);
    if (plain === undefined) return undefined;
    const sequence = u32(packet, 4);
    const seen = this.#received.get(sequence);
    // A duplicate of the network is passed over; the gateway itself must never use one number twice.
    if (seen !== undefined && !equal(seen, packet))
      throw new Error(`ESP sequence ${sequence} was used twice`);
    if (seen !== undefined) return undefined;
    this.#received.set(sequence, packet.slice());
    const padding = plain[plain.length - 2] ?? 0;
    return plain[plain.length - 1] === UDP ? plain.subarray(0, plain.length - 2 - padding) : undefined;
  }

  #openGcm(packet: Uint8Array): Uint8Array | undefined {
    const { inbound, suite } = this.sa;
    const nonce = concat(inbound.salt, packet.subarray(8, 16));
    const decipher = createDecipheriv(CIPHERS[suite.encryption] as 'aes-256-gcm', inbound.encryption, nonce);
    decipher.setAAD(packet.subarray(0, 8)).setAuthTag(packet.subarray(-16));
    try {
      return concat(decipher.update(packet.subarray(16, -16)), decipher.final());
    } catch {
      return undefined;
    }
  }

  #openCbc(packet: Uint8Array): Uint8Array | undefined {
    const { inbound, suite } = this.sa;
    const [, length] = HASHES[suite.integrity];
    const block = suite.encryption === '3des-cbc' ? 8 : 16;
    const body = packet.subarray(0, packet.length - length);
    if (!timingSafeEqual(this.#icv(body, inbound), packet.subarray(-length))) return undefined;
    const iv = body.subarray(8, 8 + block);
    const decipher = createDecipheriv(CIPHERS[suite.encryption], inbound.encryption, iv).setAutoPadding(
      false,
    );
    return concat(decipher.update(body.subarray(8 + block)), decipher.final());
  }
}

/** RFC 768 with checksum zero, which RFC 3948 §3.1.2 allows behind a NAT. */
export function udpDatagram(sourcePort: number, destinationPort: number, data: Uint8Array): Uint8Array {
  const length = 8 + data.length;
  const ports = [sourcePort, destinationPort, length, 0].flatMap((value) => [value >>> 8, value & 0xff]);
  return concat(Uint8Array.from(ports), data);
}

export function udpPayload(datagram: Uint8Array): {
  readonly source: number;
  readonly destination: number;
  readonly data: Uint8Array;
} {
  return {
    source: u16(datagram, 0),
    destination: u16(datagram, 2),
    data: datagram.subarray(8, u16(datagram, 4)),
  };
}
