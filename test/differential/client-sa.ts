/**
 * A client's side of an SA: it has the keys and seals what no honest client would. Written apart from
 * the engines' own ESP, so that a fault of theirs does not cancel out.
 */
import { createCipheriv, createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { EspEncryption, EspIntegrity, SaEntry } from '@culvert/contracts';
import type { Dice } from './dice.ts';

export interface ClientSa {
  /** As it was declared last. */
  entry: SaEntry;
  readonly key: KeyObject;
  readonly integrityKey?: KeyObject;
  /** The last sequence number used, all of its bits. */
  sequence: number;
  /** The next outbound number that nothing has granted yet. */
  granted: number;
  /** Old Linux and Android: an ICV of 96 bits for SHA-2. */
  truncates: boolean;
  readonly esn: boolean;
  readonly tunnel: boolean;
}

const KEY_OCTETS: Readonly<Record<EspEncryption, number>> = {
  'aes-cbc-128': 16,
  'aes-cbc-192': 24,
  'aes-cbc-256': 32,
  '3des-cbc': 24,
  'aes-gcm-16-128': 16,
  'aes-gcm-16-256': 32,
};
const CIPHERS = {
  'aes-cbc-128': 'aes-128-cbc',
  'aes-cbc-192': 'aes-192-cbc',
  'aes-cbc-256': 'aes-256-cbc',
  '3des-cbc': 'des-ede3-cbc',
  'aes-gcm-16-128': 'aes-128-gcm',
  'aes-gcm-16-256': 'aes-256-gcm',
} as const;
const HASHES = {
  none: { hash: '', keyOctets: 0, icvOctets: 0 },
  'hmac-sha1-96': { hash: 'sha1', keyOctets: 20, icvOctets: 12 },
  'hmac-sha2-256-128': { hash: 'sha256', keyOctets: 32, icvOctets: 16 },
  'hmac-sha2-384-192': { hash: 'sha384', keyOctets: 48, icvOctets: 24 },
  'hmac-sha2-512-256': { hash: 'sha512', keyOctets: 64, icvOctets: 32 },
} as const;

export const ENCRYPTIONS = Object.keys(KEY_OCTETS) as readonly EspEncryption[];
export const INTEGRITIES = (Object.keys(HASHES) as readonly EspIntegrity[]).filter((name) => name !== 'none');

export const isGcm = (encryption: EspEncryption) => encryption.startsWith('aes-gcm');

/** Fresh keys for one direction. */
export function keysFor(dice: Dice, encryption: EspEncryption, integrity: EspIntegrity): SaEntry['inbound'] {
  return {
    encryption: dice.filler(KEY_OCTETS[encryption]),
    integrity: dice.filler(HASHES[integrity].keyOctets),
    salt: dice.filler(isGcm(encryption) ? 4 : 0),
  };
}

export function clientSa(entry: SaEntry, change: Pick<ClientSa, 'sequence' | 'truncates'>): ClientSa {
  const { integrity } = entry.inbound;
  return {
    entry,
    key: createSecretKey(entry.inbound.encryption),
    ...(integrity.length > 0 && { integrityKey: createSecretKey(integrity) }),
    granted: 1,
    esn: entry.esn === true,
    tunnel: entry.tunnel !== undefined,
    ...change,
  };
}

export function blockOf(encryption: EspEncryption): number {
  return isGcm(encryption) ? 4 : encryption === '3des-cbc' ? 8 : 16;
}

/** Payload with trailer; `tfc` octets of traffic flow confidentiality stand between (RFC 4303 §2.7). */
export function plainOf(
  encryption: EspEncryption,
  payload: Uint8Array,
  nextHeader: number,
  more: { readonly tfc?: number; readonly padBlocks?: number } = {},
): Uint8Array {
  const block = blockOf(encryption);
  const inside = payload.length + (more.tfc ?? 0);
  const total = Math.ceil((inside + 2) / block) * block + (more.padBlocks ?? 0) * block;
  const plain = new Uint8Array(total);
  plain.set(payload);
  const padding = total - 2 - inside;
  for (let index = 0; index < padding; index += 1) plain[inside + index] = index + 1;
  plain[total - 2] = padding;
  plain[total - 1] = nextHeader;
  return plain;
}

/** RFC 4303 §3.3 over plain octets as they are; `sequence` has all bits, the packet shows the low 32. */
export function sealPlain(dice: Dice, sa: ClientSa, sequence: number, plain: Uint8Array): Uint8Array {
  const { encryption, integrity, inboundSpi, inbound } = sa.entry;
  const gcm = isGcm(encryption);
  const icvOctets = gcm ? 16 : sa.truncates ? 12 : HASHES[integrity].icvOctets;
  const ivOctets = gcm ? 8 : blockOf(encryption);
  const bodyAt = 8 + ivOctets;
  const bodyEnd = bodyAt + plain.length;
  const packet = new Uint8Array(bodyEnd + icvOctets);
  const view = new DataView(packet.buffer);
  view.setUint32(0, inboundSpi);
  view.setUint32(4, sequence % 2 ** 32);
  const iv = dice.filler(ivOctets);
  packet.set(iv, 8);
  const high = new Uint8Array(4);
  new DataView(high.buffer).setUint32(0, Math.floor(sequence / 2 ** 32));
  if (gcm) {
    const nonce = Uint8Array.of(...inbound.salt, ...iv);
    const cipher = createCipheriv(CIPHERS[encryption] as 'aes-128-gcm', sa.key, nonce, { authTagLength: 16 });
    // RFC 4106 §5: with extended numbers their high half stands between SPI and low half.
    const header = packet.subarray(0, 8);
    cipher.setAAD(sa.esn ? Uint8Array.of(...header.subarray(0, 4), ...high, ...header.subarray(4)) : header);
    packet.set(cipher.update(plain), bodyAt);
    cipher.final();
    packet.set(cipher.getAuthTag(), bodyEnd);
    return packet;
  }
  const cipher = createCipheriv(CIPHERS[encryption], sa.key, iv).setAutoPadding(false);
  packet.set(cipher.update(plain), bodyAt);
  cipher.final();
  if (sa.integrityKey === undefined) return packet;
  const mac = createHmac(HASHES[integrity].hash, sa.integrityKey).update(packet.subarray(0, bodyEnd));
  // RFC 4303 §2.2.1: the high half is covered as if it stood behind the packet.
  if (sa.esn) mac.update(high);
  packet.set(mac.digest().subarray(0, icvOctets), bodyEnd);
  return packet;
}
