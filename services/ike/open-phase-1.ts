import type { IkeBody, NatVerdict } from '@culvert/actors-ike';
import { isakmpSaId, SA_BODY_OCTETS_MAX } from '@culvert/actors-ike';
import type { PskConfig } from '@culvert/config';
import {
  type Cookies,
  cbcBlockOctets,
  cbcKeyOctets,
  constantTimeEqual,
  decryptCbc,
  encryptionKey,
  hashI,
  initialIv,
  natDetectionHash,
  skeyidOfPsk,
  skeyids,
} from '@culvert/crypto';
import type { Dropped } from '@culvert/host';
import { toHex } from '@culvert/wire';
import {
  type Chain,
  checkMessage,
  EXCHANGE,
  FLAG,
  ISAKMP_HEADER_OCTETS,
  linkOf,
  parseClearMessage,
  parseOpenedMessage,
  payloadsOf,
} from '@culvert/wire/ike';
import { addressOctets, sourceKey } from './addresses.ts';
import { addHalfOpen, foundingKey } from './directory.ts';
import { PROOF_ATTEMPTS_MAX } from './limits.ts';
import type { Opening } from './opening.ts';
import { placeOfMm5 } from './place.ts';
import type { Phase1Secrets, SaSecrets } from './vault.ts';

/** RFC 2409 §5.4 `HDR, SA -->`, or the first message of Aggressive Mode, which will be refused. */
export function openMm1(opening: Opening): IkeBody | Dropped {
  const { keeping, view, octets, header, path, packet, isakmpSa, request } = opening;
  // The founding SA of a live session may be gone: a first message founds a session, it never enters one.
  if (Object.keys(view.state).length > 0) return { drop: 'unexpected-message' };
  if (header.messageId !== 0 || (header.flags & FLAG.encryption) !== 0) return { drop: 'unexpected-message' };
  const type = header.exchange === EXCHANGE.aggressive ? 'AM1' : 'MM1';
  const message = parseClearMessage(octets);
  if (!message.ok) return { drop: `malformed-${message.reason}` };
  const chain = checkMessage(type, message.value.chain);
  if (!chain.ok) return { drop: `malformed-${chain.reason}` };
  // Here already: what is refused founds no session, and nobody would take it out of the directory again.
  if ((linkOf(chain.value, 'SA')?.body.length ?? 0) > SA_BODY_OCTETS_MAX) return { drop: 'sa-too-large' };
  const initiatorCookie = toHex(header.initiatorCookie);
  const founding = foundingKey(initiatorCookie, packet.flow);
  view.vault.founding = founding;
  keeping.directory.founding.set(founding, view.session);
  addHalfOpen(keeping.directory, view.session, sourceKey(path.flow.remote.address));
  const forceEncapsulation =
    keeping.config.listen.find(({ name }) => name === path.listener)?.forceEncapsulation ?? false;
  return {
    type,
    isakmpSa,
    messageId: 0,
    request,
    path,
    initiatorCookie,
    chain: chain.value,
    forceEncapsulation,
  };
}

/** `HDR, KE, Ni [, NAT-D, NAT-D] -->`. */
export function openMm3(
  { keeping, octets, header, path, isakmpSa, request, packet }: Opening,
  sa: SaSecrets,
): IkeBody | Dropped {
  if (header.messageId !== 0) return { drop: 'unexpected-message' };
  if (keeping.agreements.full) return { drop: 'dh-limit' };
  const message = parseClearMessage(octets);
  if (!message.ok) return { drop: `malformed-${message.reason}` };
  const chain = checkMessage('MM3', message.value.chain);
  if (!chain.ok) return { drop: `malformed-${chain.reason}` };
  const nat =
    sa.suite === undefined ? undefined : natVerdict(chain.value, sa.suite.hash, sa.cookies, packet.flow);
  return { type: 'MM3', isakmpSa, messageId: 0, request, path, chain: chain.value, nat };
}

/** RFC 3947 §3.2: the first NAT-D is of our address, the others are of the initiator's possible ones. */
function natVerdict(
  chain: Chain,
  hash: NonNullable<SaSecrets['suite']>['hash'],
  cookies: Cookies,
  flow: Opening['packet']['flow'],
): NatVerdict | undefined {
  const [ofUs, ...ofPeer] = payloadsOf(chain, 'NAT-D');
  if (ofUs === undefined || ofPeer.length === 0) return undefined;
  const expected = (end: { readonly address: string; readonly port: number }) =>
    natDetectionHash(hash, cookies, addressOctets(end.address), end.port);
  const local = expected(flow.local);
  const remote = expected(flow.remote);
  return {
    numbers: ofUs.numbers,
    localMatches: constantTimeEqual(ofUs.hash, local),
    remoteMatches: ofPeer.some((payload) => constantTimeEqual(payload.hash, remote)),
  };
}

/** `HDR*, IDii, HASH_I -->`: tried with each candidate key, and the one that verifies is pinned. */
export function openMm5(opening: Opening, sa: SaSecrets): IkeBody | Dropped {
  const { keeping, view, path, isakmpSa, request, header } = opening;
  const waiting = view.state[isakmpSaId(isakmpSa)]?.matches({ halfOpen: 'mm4Sent' }) ?? false;
  const { phase1, suite, saBody } = sa;
  if (
    !waiting ||
    header.messageId !== 0 ||
    phase1 === undefined ||
    suite === undefined ||
    saBody === undefined
  ) {
    return { drop: 'unexpected-message' };
  }
  if (sa.attempts >= PROOF_ATTEMPTS_MAX) return { drop: 'proof-attempts' };
  const candidates = keeping.psks(path.listener, path.flow.remote.address);
  for (const psk of candidates) {
    const proof = proved(opening, psk, { sa, phase1, suite, saBody });
    if (proof === undefined) continue;
    // The vault changes only now: the peer is who it says.
    Object.assign(sa, proof.secrets, placeOfMm5(view.state, isakmpSa, path.flow.remote));
    return { type: 'MM5', isakmpSa, messageId: 0, request, path, chain: proof.chain, psk: psk.name };
  }
  sa.attempts += 1;
  const names = candidates.map(({ name }) => name);
  return { type: 'MM5 unverified', isakmpSa, messageId: 0, request, path, candidates: names };
}

interface Proving {
  readonly sa: SaSecrets;
  readonly phase1: Phase1Secrets;
  readonly suite: NonNullable<SaSecrets['suite']>;
  readonly saBody: Uint8Array;
}

function proved(
  { octets, header }: Opening,
  psk: PskConfig,
  { sa, phase1, suite, saBody }: Proving,
): { readonly secrets: Partial<SaSecrets>; readonly chain: Chain } | undefined {
  const { hash, encryption } = suite;
  const { publicI, publicR, nonceI, nonceR, sharedSecret } = phase1;
  const skeyid = skeyidOfPsk(hash, psk.secret, nonceI, nonceR);
  const keys = skeyids(hash, skeyid, sharedSecret, sa.cookies);
  const cipherKey = encryptionKey(hash, keys.e, cbcKeyOctets(encryption));
  const iv = initialIv(hash, publicI, publicR, cbcBlockOctets(encryption));
  const plain = decryptCbc(encryption, cipherKey, iv, octets.subarray(ISAKMP_HEADER_OCTETS));
  if (plain === undefined) return undefined;
  const message = parseOpenedMessage(header, plain.octets);
  if (!message.ok) return undefined;
  const chain = checkMessage('MM5', message.value.chain);
  if (!chain.ok) return undefined;
  const id = linkOf(chain.value, 'ID');
  const proof = linkOf(chain.value, 'HASH');
  if (id === undefined || proof === undefined) return undefined;
  const transcript = { hash, skeyid, publicI, publicR, cookies: sa.cookies, saBody };
  if (!constantTimeEqual(hashI(transcript, id.body), proof.payload.data)) return undefined;
  const secrets = { keys: { d: keys.d, a: keys.a, cipherKey }, skeyid, iv: plain.nextIv };
  return { secrets, chain: chain.value };
}
