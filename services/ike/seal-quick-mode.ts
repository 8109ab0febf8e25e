import { answered, type EspEncryption, type EspIntegrity, type IkeEffect } from '@culvert/actors-ike';
import { endpointKey } from '@culvert/contracts';
import { type HashName, hash2, keymat } from '@culvert/crypto';
import { invariant } from '@culvert/kernel';
import { EXCHANGE, emitChain, PROTOCOL } from '@culvert/wire/ike';
import { protect, readyOf, type SealedMessage, secretsOf } from './seal.ts';
import type { DirectionSecrets, IkeVault } from './vault.ts';

type SendQm2 = Extract<IkeEffect, { type: 'qm2.send' }>;

/** Octets of KEYMAT that go into key and salt: RFC 3602 §2.1, RFC 2451, RFC 4106 §8.1. */
const ENCRYPTION_OCTETS: Readonly<Record<EspEncryption, { readonly key: number; readonly salt: number }>> = {
  'aes-cbc-128': { key: 16, salt: 0 },
  'aes-cbc-192': { key: 24, salt: 0 },
  'aes-cbc-256': { key: 32, salt: 0 },
  '3des-cbc': { key: 24, salt: 0 },
  'aes-gcm-16-128': { key: 16, salt: 4 },
  'aes-gcm-16-256': { key: 32, salt: 4 },
};
/** RFC 2404 §3, RFC 4868 §2.1.1: as long as the hash. */
const INTEGRITY_OCTETS: Readonly<Record<EspIntegrity, number>> = {
  none: 0,
  'hmac-sha1-96': 20,
  'hmac-sha2-256-128': 32,
  'hmac-sha2-384-192': 48,
  'hmac-sha2-512-256': 64,
};
/** HASH(3) of this many Quick Modes may be awaited under one ISAKMP SA. */
const NONCES_MAX = 8;

/** RFC 2409 §5.5 `<-- HDR*, HASH(2), SA, Nr [, KE] [, IDci, IDcr]`, and KEYMAT for both directions. */
export function sealQm2(effect: SendQm2, vault: IkeVault): SealedMessage {
  const sa = secretsOf(vault, effect.isakmpSa);
  const { suite, keys } = readyOf(sa);
  const { messageId, nonceI, nonceR, payloads, quickMode } = effect;
  deriveKeymat(effect, vault, suite.hash, keys.d);
  const pending = sa.pendingIvs.find((candidate) => candidate.messageId === messageId);
  sa.pendingIvs = sa.pendingIvs.filter((candidate) => candidate.messageId !== messageId);
  invariant(pending !== undefined, `${quickMode} answers an opened message`);
  const data = hash2(suite.hash, keys.a, messageId, nonceI, emitChain(payloads).octets);
  const sealed = protect(sa, { exchange: EXCHANGE.quickMode, messageId }, pending.iv, [
    { kind: 'HASH', data },
    ...payloads,
  ]);
  const wentTo = effect.path.flow.remote;
  const pair = { messageId, initiator: nonceI, responder: nonceR, wentTo };
  sa.nonces = [...sa.nonces, pair].slice(-NONCES_MAX);
  const { request } = effect;
  const answer = { answer: sealed.octets, iv: sealed.nextIv, to: endpointKey(wentTo) };
  sa.table = answered(sa.table, { messageId, request, ...answer });
  return { isakmpSa: effect.isakmpSa, path: effect.path, octets: sealed.octets, afterRecord: true };
}

function deriveKeymat(effect: SendQm2, vault: IkeVault, hash: HashName, skeyidD: Uint8Array): void {
  const { quickMode, encryption, integrity, nonceI, nonceR } = effect;
  const sharedSecret = vault.shared[quickMode];
  delete vault.shared[quickMode];
  invariant(!effect.pfs || sharedSecret !== undefined, 'PFS follows the Diffie-Hellman job');
  const { key, salt } = ENCRYPTION_OCTETS[encryption];
  const total = key + salt + INTEGRITY_OCTETS[integrity];
  const direction = (spi: number): DirectionSecrets => {
    const octets = keymat(
      { hash, skeyidD, sharedSecret, protocol: PROTOCOL.ESP, spi, nonceI, nonceR },
      total,
    );
    return {
      encryption: octets.slice(0, key),
      salt: octets.slice(key, key + salt),
      integrity: octets.slice(key + salt),
    };
  };
  vault.ipsec[quickMode] = { inbound: direction(effect.inboundSpi), outbound: direction(effect.outboundSpi) };
  sharedSecret?.fill(0);
}
