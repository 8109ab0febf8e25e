import {
  concluded,
  exchangeOf,
  hasSeen,
  type IkeBody,
  quickModeId,
  withBegun,
  withSeen,
} from '@culvert/actors-ike';
import { constantTimeEqual, decryptCbc, hash1, hash3, phase2Iv } from '@culvert/crypto';
import type { Dropped } from '@culvert/host';
import { exposed } from '@culvert/kernel';
import { u32 } from '@culvert/wire';
import {
  type Chain,
  checkMessage,
  ISAKMP_HEADER_OCTETS,
  linkOf,
  type MessageName,
  parseOpenedMessage,
} from '@culvert/wire/ike';
import { addressOctets } from './addresses.ts';
import type { Keeping } from './keeping.ts';
import type { Opening } from './opening.ts';
import { mayBegin, noteProof, provedByQm3 } from './place.ts';
import type { Phase2Secrets, SaSecrets } from './vault.ts';

type Suite = NonNullable<SaSecrets['suite']>;

/** Decrypted, well-formed, and its HASH still to be checked. */
interface Plain {
  readonly octets: Uint8Array;
  readonly chain: Chain;
  readonly proof: Uint8Array;
  /** All that follows the HASH payload, padding left out. */
  readonly rest: Uint8Array;
  readonly nextIv: Uint8Array;
}

export function openQuickMode(opening: Opening, sa: SaSecrets): IkeBody | Dropped {
  const { keys, suite } = sa;
  const { messageId } = opening.header;
  if (keys === undefined || suite === undefined || messageId === 0) return { drop: 'not-established' };
  const exchange = exchangeOf(sa.table, messageId);
  if (exchange !== undefined) return openQm3(opening, sa, keys, suite, exchange.iv);
  return hasSeen(sa.table, messageId) ? { drop: 'message-id-reused' } : openQm1(opening, sa, keys, suite);
}

/** RFC 2409 §5.5 `HDR*, HASH(1), SA, Ni [, KE] [, IDci, IDcr] -->`. */
function openQm1(opening: Opening, sa: SaSecrets, keys: Phase2Secrets, suite: Suite): IkeBody | Dropped {
  const { header, path, isakmpSa, request, view, keeping, packet } = opening;
  const { messageId } = header;
  const plain = decrypted(opening, 'QM1', keys, suite, phase2Iv(suite.hash, sa.iv, messageId));
  if ('drop' in plain) return plain;
  if (!constantTimeEqual(hash1(suite.hash, keys.a, messageId, plain.rest), plain.proof))
    return { drop: 'wrong-hash' };
  if (linkOf(plain.chain, 'KE') !== undefined && keeping.agreements.full) return { drop: 'dh-limit' };
  // Bounded by the machines there may be: an entry without one has been answered or dropped.
  const waiting = sa.pendingIvs.filter(
    (one) => view.state[quickModeId(isakmpSa, one.messageId)] !== undefined,
  );
  if (!mayBegin(sa, packet.flow.remote, waiting.length + sa.nonces.length)) return { drop: 'place-unproven' };
  sa.pendingIvs = [...waiting, { messageId, iv: plain.nextIv }];
  sa.table = withBegun(sa.table, messageId);
  const spi = freeSpi(view.session, view.shard, keeping);
  view.vault.spis[quickModeId(isakmpSa, messageId)] = spi;
  keeping.directory.spis.set(spi, view.session);
  const addresses = {
    initiator: addressOctets(packet.flow.remote.address),
    responder: addressOctets(packet.flow.local.address),
  };
  return { type: 'QM1', isakmpSa, messageId, request, path, chain: plain.chain, spi, addresses };
}

/** `HDR*, HASH(3) -->`. */
function openQm3(
  opening: Opening,
  sa: SaSecrets,
  keys: Phase2Secrets,
  suite: Suite,
  iv: Uint8Array,
): IkeBody | Dropped {
  const { header, path, isakmpSa, request } = opening;
  const { messageId } = header;
  const nonces = sa.nonces.find((pair) => pair.messageId === messageId);
  if (nonces === undefined) return { drop: 'unexpected-message' };
  const plain = decrypted(opening, 'QM3', keys, suite, iv);
  if ('drop' in plain) return plain;
  const expected = hash3(suite.hash, keys.a, messageId, nonces.initiator, nonces.responder);
  if (!constantTimeEqual(expected, plain.proof)) return { drop: 'wrong-hash' };
  // The initiator has our answer: it will not ask again.
  sa.nonces = sa.nonces.filter((pair) => pair.messageId !== messageId);
  sa.table = concluded(sa.table, messageId);
  const contactDue = provedByQm3(sa, nonces.wentTo);
  noteProof(opening.view.vault, sa);
  return { type: 'QM3', isakmpSa, messageId, request, path, contactDue };
}

/** RFC 2409 §5.7 `HDR*, HASH(1), N/D -->`, an exchange of its own. */
export function openInformational(opening: Opening, sa: SaSecrets): IkeBody | Dropped {
  const { keys, suite } = sa;
  const { header, path, isakmpSa, request } = opening;
  const { messageId } = header;
  if (keys === undefined || suite === undefined || messageId === 0) return { drop: 'not-established' };
  if (hasSeen(sa.table, messageId)) return { drop: 'message-id-reused' };
  const plain = decrypted(opening, 'INFO', keys, suite, phase2Iv(suite.hash, sa.iv, messageId));
  if ('drop' in plain) return plain;
  if (!constantTimeEqual(hash1(suite.hash, keys.a, messageId, plain.rest), plain.proof))
    return { drop: 'wrong-hash' };
  sa.table = withSeen(sa.table, messageId);
  return { type: 'INFO', isakmpSa, messageId, request, path, chain: plain.chain };
}

function decrypted(
  { octets, header }: Opening,
  name: MessageName,
  keys: Phase2Secrets,
  suite: Suite,
  iv: Uint8Array,
): Plain | Dropped {
  const plain = decryptCbc(suite.encryption, keys.cipherKey, iv, octets.subarray(ISAKMP_HEADER_OCTETS));
  if (plain === undefined) return { drop: 'bad-ciphertext' };
  const message = parseOpenedMessage(header, plain.octets);
  // A wrong key shows as malformed: one reason for both, so that counters tell an attacker nothing either.
  if (!message.ok) return { drop: 'bad-ciphertext' };
  const chain = checkMessage(name, message.value.chain);
  if (!chain.ok) return { drop: 'bad-ciphertext' };
  const proof = linkOf(chain.value, 'HASH');
  if (proof === undefined) return { drop: 'bad-ciphertext' };
  const rest = plain.octets.subarray(proof.offset + 4 + proof.body.length, chain.value.end);
  return { octets: plain.octets, chain: chain.value, proof: proof.payload.data, rest, nextIv: plain.nextIv };
}

const SPI_MIN = 256;
const STEERED_ATTEMPTS = 64;

/** Charter 7: shard (10) ‖ random (14) ‖ steering (8); a session's SPIs share the steering octet. */
function freeSpi(session: string, shard: number, { directory, entropy }: Keeping): number {
  const steering = Number.parseInt(session.slice(-2), 16);
  for (let attempt = 0; ; attempt += 1) {
    const random = u32(exposed(entropy.seed(), 0, 4)) >>> 10;
    // Where the sessions of this steering octet have used up the shard, another octet has to do.
    const low = attempt < STEERED_ATTEMPTS ? (random & ~0xff) | steering : random;
    const spi = shard * 2 ** 22 + low;
    if (spi >= SPI_MIN && !directory.spis.has(spi)) return spi;
  }
}
