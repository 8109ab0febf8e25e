import { type Endpoint, type IsakmpSaContext, isakmpSaId, sameEndpoint } from '@culvert/actors-ike';
import type { SessionState } from '@culvert/kernel';
import { contactKey } from './directory.ts';
import type { Contact } from './inputs.ts';
import { GUEST_QUICK_MODES_MAX } from './limits.ts';
import type { IkeVault, SaSecrets } from './vault.ts';

/**
 * A source address can be forged, and a group key lets its holder claim any identity. What an ISAKMP SA may
 * do to other sessions therefore depends on its place, the address and port of its MM5, and on whether the
 * peer has shown there what only a receiver can know: a nonce of ours that went there.
 */
export interface Place {
  place?: Endpoint;
  proven?: boolean;
  /** INITIAL-CONTACT was said and waits for the proof. */
  contactDue?: boolean;
  /** It has joined a session of its claimed identity before the proof: see `mayBegin`. */
  guest?: boolean;
}

/** MM5 knows the nonce of MM4: proof enough where the client has not moved to another port in between. */
export function placeOfMm5(state: SessionState, isakmpSa: string, place: Endpoint): Place {
  const context = state[isakmpSaId(isakmpSa)]?.context as IsakmpSaContext | undefined;
  const answered = context?.path.flow.remote;
  return { place, proven: answered !== undefined && sameEndpoint(answered, place) };
}

/** HASH(3) knows the nonce of QM2. True when INITIAL-CONTACT is to be acted on now. */
export function provedByQm3(sa: SaSecrets, wentTo: Endpoint): boolean {
  if (sa.place === undefined || !sameEndpoint(sa.place, wentTo)) return false;
  sa.proven = true;
  const due = sa.contactDue === true;
  delete sa.contactDue;
  return due;
}

/**
 * A client that renews its ISAKMP SA begins on port 500 and floats with MM5, so the proof of its place can
 * only come with HASH(3), which needs IPsec SAs in the session it returns to. Until then it is a guest there:
 * it may begin few Quick Modes, and only where the session's own client receives the answer.
 */
export function mayBegin(sa: SaSecrets, from: Endpoint, underWay: number): boolean {
  if (sa.guest !== true || sa.proven === true) return true;
  return sa.place !== undefined && sameEndpoint(sa.place, from) && underWay < GUEST_QUICK_MODES_MAX;
}

/** An SA whose peer receives at this address and port. */
export function isProvenAt(sa: SaSecrets | undefined, { address, port }: Endpoint): boolean {
  return sa?.proven === true && sa.place !== undefined && sameEndpoint(sa.place, { address, port });
}

/** What a session's SAs have proved stays known when they are gone: ISAKMP SAs end before their session does. */
export function noteProof(vault: IkeVault, sa: SaSecrets | undefined): void {
  vault.contacts = vault.contacts.map((contact) =>
    isProvenAt(sa, contact) ? { ...contact, proven: true } : contact,
  );
}

/** Whether the client of this session has shown that it receives at the contact's address and port. */
export function hasProved(vault: IkeVault, contact: Contact): boolean {
  return vault.contacts.some(
    (known) =>
      known.proven === true && contactKey(known) === contactKey(contact) && known.port === contact.port,
  );
}

/** ISAKMP SAs that have joined this session and proved nothing yet. */
export function guestsOf({ sas }: IkeVault): number {
  return Object.values(sas).filter((sa) => sa.guest === true && sa.proven !== true).length;
}
