import { decryptCbc, encryptCbc, type HashName, hash1, phase2Iv, type Skeyids } from '@culvert/crypto';
import { concat, toHex } from '@culvert/wire';
import {
  type Chain,
  emitChain,
  emitWithHeader,
  FLAG,
  ISAKMP_HEADER_OCTETS,
  type IsakmpHeader,
  linkOf,
  PAYLOAD,
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

/** A chain of payloads in octets, and the type of its first. */
export interface RawChain {
  readonly first: number;
  readonly octets: Uint8Array;
}

/** What a hostile client does to a chain before it is hashed and encrypted. */
export type Tamper = (chain: RawChain) => RawChain;

/** The protected side of one ISAKMP SA as the initiator keeps it: IV chains per exchange (RFC 2409 appendix B). */
export class IsakmpChannel {
  readonly of: ChannelKeys;
  /** By message ID in hexadecimal; 0 is Main Mode itself. */
  readonly #ivs = new Map<number, Uint8Array>();

  readonly #tamper: Tamper;

  constructor(of: ChannelKeys, initialIv: Uint8Array, tamper: Tamper = (chain) => chain) {
    this.of = of;
    this.#tamper = tamper;
    this.#ivs.set(0, initialIv);
  }

  get hash(): HashName {
    return this.of.suite.hash;
  }

  get name(): string {
    return toHex(this.of.responderCookie);
  }

  seal(exchange: number, messageId: number, payloads: readonly Payload[]): Uint8Array {
    return this.#sealChain(exchange, messageId, this.#tamper(emitChain(payloads)));
  }

  /** HASH(1) in front of the payloads (RFC 2409 §5.5, §5.7). */
  sealHashed(exchange: number, messageId: number, payloads: readonly Payload[]): Uint8Array {
    const rest = this.#tamper(emitChain(payloads));
    const data = hash1(this.hash, this.of.keys.a, messageId, rest.octets);
    const { octets } = emitChain([{ kind: 'HASH', data }]);
    octets[0] = rest.first;
    return this.#sealChain(exchange, messageId, { first: PAYLOAD.HASH, octets: concat(octets, rest.octets) });
  }

  #sealChain(exchange: number, messageId: number, { first, octets }: RawChain): Uint8Array {
    const { suite, encryptionKey, initiatorCookie, responderCookie } = this.of;
    const sealed = encryptCbc(suite.cipher, encryptionKey, this.#iv(messageId), octets);
    this.#ivs.set(messageId, sealed.nextIv);
    const fields = { initiatorCookie, responderCookie, exchange, messageId };
    return emitWithHeader(fields, first, FLAG.encryption, sealed.octets);
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
