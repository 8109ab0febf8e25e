import type { IkeBody, Path } from '@culvert/actors-ike';
import { duplicateOf } from '@culvert/actors-ike';
import { endpointKey, type IkePacket } from '@culvert/contracts';
import { digest } from '@culvert/crypto';
import type { Dropped, SessionView } from '@culvert/host';
import { equal, toHex } from '@culvert/wire';
import { EXCHANGE, FLAG, isFragment, isZeroCookie, parseIsakmpHeader } from '@culvert/wire/ike';
import { contactKey, forget } from './directory.ts';
import type { Contact, IkeInput } from './inputs.ts';
import type { Keeping } from './keeping.ts';
import { openMm1, openMm3, openMm5 } from './open-phase-1.ts';
import { openInformational, openQuickMode } from './open-phase-2.ts';
import type { Opening } from './opening.ts';
import { noteProof } from './place.ts';
import { type IkeVault, prune } from './vault.ts';

const REQUEST_OCTETS = 16;
const COOKIES_OCTETS = 16;

/**
 * Step 3, the impure half. Nothing of the vault changes before a message has verified, and every failure
 * of an encrypted message is the same nothing (reliability S-15).
 */
export function open(input: IkeInput, view: SessionView<IkeVault>, keeping: Keeping): IkeBody | Dropped {
  forget(keeping.directory, view.session, prune(view.vault, view.state));
  switch (input.type) {
    case 'packet':
      return openPacket(input.packet, input.packet.octets, view, keeping);
    case 'request':
      return input.request;
    case 'dh': {
      const { actor, outcome } = input;
      if (!outcome.ok) return { type: 'dh', actor, outcome };
      if (view.state[actor] !== undefined) view.vault.shared[actor] = outcome.sharedSecret;
      return { type: 'dh', actor, outcome: { ok: true, publicValue: outcome.publicValue } };
    }
    case 'admitted':
      addOnce(view.vault.contacts, input.contact);
      noteProof(view.vault, view.vault.sas[input.isakmpSa]);
      keeping.admitted(view.session, input);
      return { type: 'admitted', isakmpSa: input.isakmpSa };
    case 'activity':
      return { type: 'activity', actor: input.actor, idleMs: input.idleMs };
    case 'told':
      return { type: 'told', known: input.known };
    case 'superseded':
    case 'probe':
      return { type: input.type };
  }
}

function openPacket(
  packet: IkePacket,
  octets: Uint8Array,
  view: SessionView<IkeVault>,
  keeping: Keeping,
  reassembled = false,
): IkeBody | Dropped {
  const parsed = parseIsakmpHeader(octets);
  if (!parsed.ok) return { drop: `malformed-${parsed.reason}` };
  const header = parsed.value;
  if (header.majorVersion !== 1) return { drop: 'malformed-bad-version' };
  const isakmpSa = isZeroCookie(header.responderCookie) ? view.session : toHex(header.responderCookie);
  if (isFragment(header)) {
    if (reassembled) return { drop: 'fragment-of-fragment' };
    const whole = keeping.fragments.take(octets, header, view.session);
    if ('drop' in whole) return whole;
    // The cookies of the parts have found the session: the whole must be of the same ISAKMP SA.
    if (!equal(whole.message.subarray(0, COOKIES_OCTETS), octets.subarray(0, COOKIES_OCTETS)))
      return { drop: 'fragment-cookies' };
    return openPacket(packet, whole.message, view, keeping, true);
  }
  const { node, listener, flow, nonEspMarker } = packet;
  const path: Path = { node, listener, flow, nonEspMarker };
  const request = toHex(digest('sha2-256', octets).subarray(0, REQUEST_OCTETS));
  return openMessage({ keeping, view, octets, header, packet, path, isakmpSa, request });
}

function openMessage(opening: Opening): IkeBody | Dropped {
  const { header, view, isakmpSa, request, path } = opening;
  const sa = view.vault.sas[isakmpSa];
  const { exchange, messageId } = header;
  if (sa === undefined) {
    const first = isZeroCookie(header.responderCookie);
    return first ? openMm1(opening) : { drop: 'unknown-isakmp-sa' };
  }
  if (toHex(sa.cookies.initiator) !== toHex(header.initiatorCookie)) return { drop: 'unknown-cookie' };
  const duplicate = duplicateOf(sa.table, messageId, request);
  if (duplicate !== undefined) {
    // Who recorded a question shall not have its answer, nor have it sent to somebody else (S-7).
    return duplicate.to === endpointKey(path.flow.remote)
      ? { type: 'duplicate', isakmpSa, messageId, request, path }
      : { drop: 'duplicate-from-elsewhere' };
  }
  const encrypted = (header.flags & FLAG.encryption) !== 0;
  switch (exchange) {
    case EXCHANGE.identityProtection:
      if (isZeroCookie(header.responderCookie)) return { drop: 'unexpected-message' };
      return encrypted ? openMm5(opening, sa) : openMm3(opening, sa);
    case EXCHANGE.quickMode:
      return encrypted ? openQuickMode(opening, sa) : { drop: 'not-encrypted' };
    case EXCHANGE.informational:
      // RFC 2408 §5.14 leaves it to us: what is not protected is not believed (reliability S-7).
      return encrypted ? openInformational(opening, sa) : { drop: 'unprotected-informational' };
    default:
      return { drop: 'unexpected-exchange' };
  }
}

/** A peer that renews its ISAKMP SA for years is one contact. */
function addOnce(contacts: Contact[], contact: Contact): void {
  const known = contacts.some((one) => contactKey(one) === contactKey(contact) && one.port === contact.port);
  if (!known) contacts.push(contact);
}
