import { type Endpoint, type IkeEffect, isakmpSaId, SESSION } from '@culvert/actors-ike';
import type { Host, SessionView } from '@culvert/host';
import { contactKey, type Directory } from './directory.ts';
import type { Contact, IkeInput } from './inputs.ts';
import { GUESTS_MAX } from './limits.ts';
import { guestsOf, hasProved, isProvenAt } from './place.ts';
import type { IkeVault } from './vault.ts';

type Admit = Extract<IkeEffect, { type: 'session.admit' }>;
type InitialContact = Extract<IkeEffect, { type: 'contact.initial' }>;
type IkeHost = Host<IkeInput, IkeVault>;

interface Known {
  readonly host: IkeHost;
  readonly directory: Directory;
}

/**
 * Charter 6. A new ISAKMP SA joins the live session of the same identity, key, address and port, if that
 * session's client has proved to be there; with INITIAL-CONTACT and its own proof it replaces that session.
 */
export function admit(
  effect: Admit,
  view: SessionView<IkeVault>,
  on: Known & { readonly isakmpSasMax: number },
): IkeInput {
  const { session } = view;
  const contact = contactOf(effect, effect.path.flow.remote);
  if (effect.initialContact) announced(effect, view, on);
  else {
    const sa = view.vault.sas[effect.isakmpSa];
    const guest = !isProvenAt(sa, contact);
    const target = sessionsOf(session, contact, on).find(
      (other) => hasProved(other.vault, contact) && hasRoom(other, on.isakmpSasMax, guest),
    );
    if (target !== undefined) {
      if (sa !== undefined && guest) sa.guest = true;
      // Known before the move, so that the peer's next message finds its way.
      on.directory.joined.set(effect.isakmpSa, target.session);
      on.host.move(session, target.session);
    }
  }
  return { type: 'admitted', isakmpSa: effect.isakmpSa, contact };
}

/** INITIAL-CONTACT: acted on at once where the peer has proved its place, else when it does. */
export function announced(
  effect: Admit | InitialContact,
  { session, vault }: SessionView<IkeVault>,
  on: Known,
): void {
  const sa = vault.sas[effect.isakmpSa];
  if (sa?.place === undefined) return;
  if (sa.proven === true) supersede(session, contactOf(effect, sa.place), on);
  else sa.contactDue = true;
}

/**
 * RFC 2407 §4.6.3.3, within charter 6: other sessions at the very same address and port are dead; the same
 * identity at another port is asked whether it lives.
 */
function supersede(session: string, contact: Contact, on: Known): void {
  for (const other of sessionsOf(session, contact, on)) {
    on.host.input({ type: samePort(other, contact) ? 'superseded' : 'probe', session: other.session });
  }
}

function contactOf({ identity, psk }: Admit | InitialContact, { address, port }: Endpoint): Contact {
  return { idType: identity.idType, identity: identity.text, psk, address, port };
}

function sessionsOf(
  session: string,
  contact: Contact,
  { host, directory }: Known,
): readonly SessionView<IkeVault>[] {
  const found: SessionView<IkeVault>[] = [];
  for (const other of directory.contacts.get(contactKey(contact)) ?? []) {
    const view = other === session ? undefined : host.view(other);
    if (view !== undefined) found.push(view);
  }
  return found;
}

function samePort({ vault }: SessionView<IkeVault>, contact: Contact): boolean {
  return vault.contacts.some(
    (known) => contactKey(known) === contactKey(contact) && known.port === contact.port,
  );
}

function hasRoom({ state, vault }: SessionView<IkeVault>, isakmpSasMax: number, guest: boolean): boolean {
  if (state[SESSION] === undefined || (guest && guestsOf(vault) >= GUESTS_MAX)) return false;
  return Object.keys(state).filter((id) => id.startsWith(isakmpSaId(''))).length < isakmpSasMax;
}
