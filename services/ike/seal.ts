import type { Path } from '@culvert/actors-ike';
import { encryptCbc, hash1, phase2Iv } from '@culvert/crypto';
import { invariant } from '@culvert/kernel';
import { EXCHANGE, emitChain, emitWithHeader, FLAG, type Payload } from '@culvert/wire/ike';
import type { IkeVault, Phase2Secrets, SaSecrets } from './vault.ts';

/** Octets that leave as they are, and the way they go. */
export interface SealedMessage {
  /** Our cookie. */
  readonly isakmpSa: string;
  readonly path: Path;
  readonly octets: Uint8Array;
  /** It must not overtake the record of its own step. */
  readonly afterRecord: boolean;
}

export function secretsOf(vault: IkeVault, isakmpSa: string): SaSecrets {
  const sa = vault.sas[isakmpSa];
  invariant(sa !== undefined, 'a machine of this session has its secrets in the vault');
  return sa;
}

export interface Ready {
  readonly suite: NonNullable<SaSecrets['suite']>;
  readonly keys: Phase2Secrets;
}

export function readyOf(sa: SaSecrets): Ready {
  const { suite, keys } = sa;
  invariant(suite !== undefined && keys !== undefined, 'what is protected has keys');
  return { suite, keys };
}

/** Header and encrypted chain (RFC 2409 appendix B), and the IV for the exchange's next message. */
export function protect(
  sa: SaSecrets,
  fields: { readonly exchange: number; readonly messageId: number },
  iv: Uint8Array,
  payloads: readonly Payload[],
): { readonly octets: Uint8Array; readonly nextIv: Uint8Array } {
  const { suite, keys } = readyOf(sa);
  const chain = emitChain(payloads);
  const sealed = encryptCbc(suite.encryption, keys.cipherKey, iv, chain.octets);
  const header = { ...fields, initiatorCookie: sa.cookies.initiator, responderCookie: sa.cookies.responder };
  return {
    octets: emitWithHeader(header, chain.first, FLAG.encryption, sealed.octets),
    nextIv: sealed.nextIv,
  };
}

/** RFC 2409 §5.7. */
export function sealInformational(
  sa: SaSecrets,
  messageId: number,
  payloads: readonly Payload[],
): Uint8Array {
  const { suite, keys } = readyOf(sa);
  const hash = hash1(suite.hash, keys.a, messageId, emitChain(payloads).octets);
  const iv = phase2Iv(suite.hash, sa.iv, messageId);
  return protect(sa, { exchange: EXCHANGE.informational, messageId }, iv, [
    { kind: 'HASH', data: hash },
    ...payloads,
  ]).octets;
}
