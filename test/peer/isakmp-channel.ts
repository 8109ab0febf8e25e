import { decryptCbc, encryptCbc, type HashName, hash1, phase2Iv, type Skeyids } from '@culvert/crypto';
import { toHex } from '@culvert/wire';
import {
  type Chain,
  emitChain,
  emitWithHeader,
  FLAG,
  ISAKMP_HEADER_OCTETS,
  type IsakmpHeader,
  linkOf,
  type Payload,
  parseOpenedMessage,
} from '@culvert/wire/ike';
import type { Phase1Suite } from './isakmp-offer.ts';

export interface ChannelKeys {
  readonly suite: Phase1Suite;
  readonly keys: Skeyids;
  readonly encryptionKey: Uint8Array;
  readonly initiatorCookie: Uint8Array;
  readonly responderCookie: Uint8Array;
}

/** The protected side of one ISAKMP SA as the initiator keeps it: IV chains per exchange (RFC 2409 appendix B). */
export class IsakmpChannel {
  readonly of: ChannelKeys;
  /** By message ID in hexadecimal; 0 is Main Mode itself. */
  readonly #ivs = new Map<number, Uint8Array>();

  constructor(of: ChannelKeys, initialIv: Uint8Array) {
    this.of = of;
    this.#ivs.set(0, initialIv);
  }

  get hash(): HashName {
    return this.of.suite.hash;
  }

  get name(): string {
    return toHex(this.of.responderCookie);
  }

  seal(exchange: number, messageId: number, payloads: readonly Payload[]): Uint8Array {
    const { suite, encryptionKey, initiatorCookie, responderCookie } = this.of;
    const { first, octets } = emitChain(payloads);
    const sealed = encryptCbc(suite.cipher, encryptionKey, this.#iv(messageId), octets);
    this.#ivs.set(messageId, sealed.nextIv);
    const fields = { initiatorCookie, responderCookie, exchange, messageId };
    return emitWithHeader(fields, first, FLAG.encryption, sealed.octets);
  }

  /** HASH(1) in front of the payloads (RFC 2409 §5.5, §5.7). */
  sealHashed(exchange: number, messageId: number, payloads: readonly Payload[]): Uint8Array {
    const { octets } = emitChain(payloads);
    const data = hash1(this.hash, this.of.keys.a, messageId, octets);
    return this.seal(exchange, messageId, [{ kind: 'HASH', data }, ...payloads]);
  }

  /** Decrypts; the answer also holds the plaintext, over which hashes run. */
  open(
    header: IsakmpHeader,
    octets: Uint8Array,
  ): { readonly chain: Chain; readonly plain: Uint8Array } | undefined {
    const { suite, encryptionKey } = this.of;
    const iv = this.#iv(header.messageId);
    const opened = decryptCbc(suite.cipher, encryptionKey, iv, octets.subarray(ISAKMP_HEADER_OCTETS));
    if (opened === undefined) return undefined;
    const message = parseOpenedMessage(header, opened.octets);
    if (!message.ok) return undefined;
    this.#ivs.set(header.messageId, opened.nextIv);
    return { chain: message.value.chain, plain: opened.octets };
  }

  /** What follows the HASH payload: the argument of HASH(1) and HASH(2). */
  static afterHash(chain: Chain, plain: Uint8Array): Uint8Array {
    const hash = linkOf(chain, 'HASH');
    return hash === undefined ? plain : plain.subarray(hash.offset + 4 + hash.body.length, chain.end);
  }

  #iv(messageId: number): Uint8Array {
    const known = this.#ivs.get(messageId);
    if (known !== undefined) return known;
    return phase2Iv(this.hash, this.#ivs.get(0) ?? new Uint8Array(0), messageId);
  }
}
