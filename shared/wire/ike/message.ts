import { malformed, type Parsed, parsed } from '../parsed.ts';
import { type Chain, emitChain, parseChain } from './chain.ts';
import { emitIsakmpHeader, ISAKMP_HEADER_OCTETS, type IsakmpHeader, parseIsakmpHeader } from './header.ts';
import type { Payload } from './payload.ts';
import { FLAG, PAYLOAD } from './registry-isakmp.ts';

export interface IsakmpMessage {
  readonly header: IsakmpHeader;
  readonly chain: Chain;
}

/** A message in the clear: header and payloads, nothing behind them. Encrypted ones are decrypted first. */
export function parseClearMessage(octets: Uint8Array): Parsed<IsakmpMessage> {
  const header = parseIsakmpHeader(octets);
  if (!header.ok) return header;
  if (header.value.majorVersion !== 1) return malformed('bad-version', 17);
  if ((header.value.flags & FLAG.encryption) !== 0) return malformed('bad-flags', 19);
  const chain = parseChain(octets, ISAKMP_HEADER_OCTETS, header.value.nextPayload);
  if (!chain.ok) return chain;
  if (chain.value.links.length === 0) return malformed('missing', 16);
  if (chain.value.end !== octets.length) return malformed('trailing-octets', chain.value.end);
  return parsed({ header: header.value, chain: chain.value });
}

/**
 * What decryption gave: header and payloads as in the clear, then padding of any content (RFC 2409
 * appendix B) of less than one block, which we do not insist on, since some peers pad to more.
 */
export function parseOpenedMessage(header: IsakmpHeader, plaintext: Uint8Array): Parsed<IsakmpMessage> {
  const chain = parseChain(plaintext, 0, header.nextPayload);
  if (!chain.ok) return chain;
  if (chain.value.links.length === 0) return malformed('missing', 0);
  return parsed({ header, chain: chain.value });
}

export type HeaderFields = Pick<
  IsakmpHeader,
  'initiatorCookie' | 'responderCookie' | 'exchange' | 'messageId'
>;

/** A whole message in the clear. */
export function emitClearMessage(fields: HeaderFields, payloads: readonly Payload[]): Uint8Array {
  const { first, octets } = emitChain(payloads);
  return emitWithHeader(fields, first, 0, octets);
}

/** Header and `rest`, which is a chain in the clear or its ciphertext (then with the encryption flag). */
export function emitWithHeader(
  fields: HeaderFields,
  nextPayload: number,
  flags: number,
  rest: Uint8Array,
): Uint8Array {
  const { initiatorCookie, responderCookie, exchange, messageId } = fields;
  const length = ISAKMP_HEADER_OCTETS + rest.length;
  const message = new Uint8Array(length);
  const header = { initiatorCookie, responderCookie, exchange, messageId, nextPayload, flags, length };
  const offset = emitIsakmpHeader({ ...header, majorVersion: 1, minorVersion: 0 }, message);
  message.set(rest, offset);
  return message;
}

/** [MS-IKEE] §2.2.3.2: a fragment travels alone and unencrypted, whatever its whole is. */
export function isFragment(header: IsakmpHeader): boolean {
  return header.nextPayload === PAYLOAD.FRAGMENT;
}
