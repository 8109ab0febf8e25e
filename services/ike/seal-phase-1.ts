import { answered, type IkeEffect, isakmpSaId } from '@culvert/actors-ike';
import { endpointKey } from '@culvert/contracts';
import { hashR, natDetectionHash } from '@culvert/crypto';
import { invariant } from '@culvert/kernel';
import { hex } from '@culvert/wire';
import {
  DOI,
  EXCHANGE,
  emitClearMessage,
  emitPayload,
  ID_TYPE,
  type IdPayload,
  type Payload,
  PROTOCOL,
  vendorName,
} from '@culvert/wire/ike';
import { parseAddress } from '@culvert/wire/ip';
import { addressOctets } from './addresses.ts';
import { protect, type SealedMessage, secretsOf } from './seal.ts';
import { type IkeVault, newSaSecrets, type SaSecrets } from './vault.ts';

type Effect<T extends IkeEffect['type']> = Extract<IkeEffect, { type: T }>;

const NO_IV = new Uint8Array(0);

function fields(sa: SaSecrets, exchange: number, messageId: number) {
  return {
    initiatorCookie: sa.cookies.initiator,
    responderCookie: sa.cookies.responder,
    exchange,
    messageId,
  };
}

/** RFC 2409 §5.4 `<-- HDR, SA`: from here on the SA has an entry in the vault, still without any key. */
export function sealMm2(effect: Effect<'mm2.send'>, vault: IkeVault): SealedMessage {
  const sa = newSaSecrets({ initiator: hex(effect.initiatorCookie), responder: hex(effect.isakmpSa) });
  vault.sas[effect.isakmpSa] = sa;
  sa.suite = effect.suite;
  sa.saBody = effect.saBody;
  sa.fragments = effect.payloads.some(
    (one) => one.kind === 'VID' && vendorName(one.data) === 'FRAGMENTATION',
  );
  const octets = emitClearMessage(fields(sa, EXCHANGE.identityProtection, 0), effect.payloads);
  return phase1Answer(sa, effect, octets);
}

/** A refusal in the clear. The entry keeps it for duplicates of what it refuses. */
export function sealClearNotify(effect: Effect<'notify.clear'>, vault: IkeVault): SealedMessage {
  const cookies = { initiator: hex(effect.initiatorCookie), responder: hex(effect.isakmpSa) };
  const sa = vault.sas[effect.isakmpSa] ?? newSaSecrets(cookies);
  vault.sas[effect.isakmpSa] = sa;
  const { notifyType, messageId } = effect;
  const spi = new Uint8Array(0);
  const payload: Payload = {
    kind: 'N',
    doi: DOI.IPSEC,
    protocol: PROTOCOL.ISAKMP,
    notifyType,
    spi,
    data: spi,
  };
  return phase1Answer(sa, effect, emitClearMessage(fields(sa, EXCHANGE.informational, messageId), [payload]));
}

function phase1Answer(
  sa: SaSecrets,
  effect: Effect<'mm2.send' | 'mm4.send' | 'mm6.send' | 'notify.clear'>,
  octets: Uint8Array,
): SealedMessage {
  const { request, path } = effect;
  const to = endpointKey(path.flow.remote);
  sa.table = answered(sa.table, { messageId: 0, request, to, answer: octets, iv: NO_IV });
  return { isakmpSa: effect.isakmpSa, path: effect.path, octets, afterRecord: false };
}

/** `<-- HDR, KE, Nr [, NAT-D, NAT-D]`. */
export function sealMm4(effect: Effect<'mm4.send'>, vault: IkeVault): SealedMessage {
  const sa = secretsOf(vault, effect.isakmpSa);
  const { publicI, publicR, nonceI, nonceR } = effect;
  const actor = isakmpSaId(effect.isakmpSa);
  const sharedSecret = vault.shared[actor];
  invariant(sharedSecret !== undefined, 'MM4 follows the Diffie-Hellman job');
  delete vault.shared[actor];
  sa.phase1 = { publicI, publicR, nonceI, nonceR, sharedSecret };
  const payloads = [...effect.payloads, ...natDetection(effect, sa)];
  return phase1Answer(sa, effect, emitClearMessage(fields(sa, EXCHANGE.identityProtection, 0), payloads));
}

/** RFC 3947 §3.2: the other end first. A misreported own address makes the peer encapsulate. */
function natDetection({ natD, path }: Effect<'mm4.send'>, { suite, cookies }: SaSecrets): readonly Payload[] {
  if (natD === undefined || suite === undefined) return [];
  const { local, remote } = path.flow;
  const ours = addressOctets(local.address);
  const localHash = natD.misreport
    ? natDetectionHash(suite.hash, cookies, new Uint8Array(ours.length), 0)
    : natDetectionHash(suite.hash, cookies, ours, local.port);
  const remoteHash = natDetectionHash(suite.hash, cookies, addressOctets(remote.address), remote.port);
  const { numbers } = natD;
  return [
    { kind: 'NAT-D', numbers, hash: remoteHash },
    { kind: 'NAT-D', numbers, hash: localHash },
  ];
}

/** `<-- HDR*, IDir, HASH_R`. What only Main Mode needed is forgotten. */
export function sealMm6(
  effect: Effect<'mm6.send'>,
  vault: IkeVault,
  identity: string | undefined,
): SealedMessage {
  const sa = secretsOf(vault, effect.isakmpSa);
  const { phase1, suite, saBody, skeyid, cookies } = sa;
  invariant(
    phase1 !== undefined && suite !== undefined && saBody !== undefined && skeyid !== undefined,
    'MM6 follows a verified MM5',
  );
  const id = ourIdentity(identity ?? effect.path.flow.local.address);
  const transcript = {
    hash: suite.hash,
    skeyid,
    publicI: phase1.publicI,
    publicR: phase1.publicR,
    cookies,
    saBody,
  };
  const data = hashR(transcript, emitPayload(id).body);
  const { octets, nextIv } = protect(sa, { exchange: EXCHANGE.identityProtection, messageId: 0 }, sa.iv, [
    id,
    { kind: 'HASH', data },
  ]);
  sa.iv = nextIv;
  phase1.sharedSecret.fill(0);
  skeyid.fill(0);
  delete sa.phase1;
  delete sa.saBody;
  delete sa.skeyid;
  return phase1Answer(sa, effect, octets);
}

/** RFC 2407 §4.6.2: an address where the text is one, else a domain name; protocol and port stay unspecified. */
function ourIdentity(text: string): IdPayload {
  const unspecified = { kind: 'ID', ipProtocol: 0, port: 0 } as const;
  if (!parseAddress(text).ok)
    return { ...unspecified, idType: ID_TYPE.ID_FQDN, data: new TextEncoder().encode(text) };
  const data = addressOctets(text);
  return { ...unspecified, idType: data.length === 4 ? ID_TYPE.ID_IPV4_ADDR : ID_TYPE.ID_IPV6_ADDR, data };
}
