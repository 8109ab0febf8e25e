import { type Endpoint, type IsakmpSaContext, isakmpSaId, sameEndpoint } from '@culvert/actors-ike';
import type { SessionState } from '@culvert/kernel';
import type { SaSecrets } from './vault.ts';

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

/** An SA whose peer receives at this address and port. */
export function isProvenAt(sa: SaSecrets | undefined, { address, port }: Endpoint): boolean {
  return sa?.proven === true && sa.place !== undefined && sameEndpoint(sa.place, { address, port });
}
