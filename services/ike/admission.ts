import { type IkeEffect, isakmpSaId, SESSION } from '@culvert/actors-ike';
import type { Host, SessionView } from '@culvert/host';
import { contactKey, type Directory } from './directory.ts';
import type { Contact, IkeInput } from './inputs.ts';
import type { IkeVault } from './vault.ts';

type Admit = Extract<IkeEffect, { type: 'session.admit' }>;
type InitialContact = Extract<IkeEffect, { type: 'contact.initial' }>;
type IkeHost = Host<IkeInput, IkeVault>;

/**
 * Charter 6. A new ISAKMP SA joins the live session of the same identity, key, address and port; with
 * INITIAL-CONTACT it replaces that session, and the same identity at another port is asked whether it lives.
 */
export function admit(
  effect: Admit,
  { session }: SessionView<IkeVault>,
  on: { readonly host: IkeHost; readonly directory: Directory; readonly isakmpSasMax: number },
): IkeInput {
  const contact = contactOf(effect);
  if (effect.initialContact) supersede(session, contact, on);
  else {
    const target = sessionsOf(session, contact, on).find(
      (other) => samePort(other, contact) && hasRoom(other, on.isakmpSasMax),
    );
    if (target !== undefined) {
      // Known before the move, so that the peer's next message finds its way.
      on.directory.joined.set(effect.isakmpSa, target.session);
      on.host.move(session, target.session);
    }
  }
  return { type: 'admitted', isakmpSa: effect.isakmpSa, contact };
}

/** RFC 2407 §4.6.3.3, within charter 6: other sessions at the very same address and port are dead. */
export function supersede(
  session: string,
  contact: Contact,
  on: { readonly host: IkeHost; readonly directory: Directory },
): void {
  for (const other of sessionsOf(session, contact, on)) {
    on.host.input({ type: samePort(other, contact) ? 'superseded' : 'probe', session: other.session });
  }
}

export function contactOf({ identity, psk, path }: Admit | InitialContact): Contact {
  const { address, port } = path.flow.remote;
  return { idType: identity.idType, identity: identity.text, psk, address, port };
}

function sessionsOf(
  session: string,
  contact: Contact,
  { host, directory }: { readonly host: IkeHost; readonly directory: Directory },
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

function hasRoom({ state }: SessionView<IkeVault>, isakmpSasMax: number): boolean {
  if (state[SESSION] === undefined) return false;
  return Object.keys(state).filter((id) => id.startsWith(isakmpSaId(''))).length < isakmpSasMax;
}
