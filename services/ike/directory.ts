import type { Flow } from '@culvert/contracts';
import { flowKey } from '@culvert/contracts';
import type { SessionView } from '@culvert/host';
import type { Contact } from './inputs.ts';
import type { IkeVault, Pruned } from './vault.ts';

/**
 * What this service knows across sessions, all of it derived from them: rebuilt as they are restored,
 * cleared as they leave.
 */
export interface Directory {
  /** Founding message (initiator cookie and flow) -> session. */
  readonly founding: Map<string, string>;
  /** Our cookie -> session, for ISAKMP SAs that have joined a session of another name. */
  readonly joined: Map<string, string>;
  /** Identity, pre-shared key and address -> sessions that have proved them. */
  readonly contacts: Map<string, Set<string>>;
  /** Our inbound SPIs -> session. */
  readonly spis: Map<number, string>;
  /** Unauthenticated sessions -> their source. */
  readonly halfOpen: Map<string, string>;
  readonly halfOpenBySource: Map<string, number>;
}

export function newDirectory(): Directory {
  return {
    founding: new Map(),
    joined: new Map(),
    contacts: new Map(),
    spis: new Map(),
    halfOpen: new Map(),
    halfOpenBySource: new Map(),
  };
}

export function foundingKey(initiatorCookie: string, flow: Flow): string {
  return `${initiatorCookie}|${flowKey(flow)}`;
}

/** The port is compared apart: another one makes a probe, not a match. */
export function contactKey({ idType, identity, psk, address }: Contact): string {
  return `${idType}|${psk}|${address}|${identity}`;
}

export function addHalfOpen(directory: Directory, session: string, source: string): void {
  if (directory.halfOpen.has(session)) return;
  directory.halfOpen.set(session, source);
  directory.halfOpenBySource.set(source, (directory.halfOpenBySource.get(source) ?? 0) + 1);
}

export function removeHalfOpen(directory: Directory, session: string): void {
  const source = directory.halfOpen.get(session);
  if (source === undefined) return;
  directory.halfOpen.delete(session);
  const left = (directory.halfOpenBySource.get(source) ?? 1) - 1;
  if (left > 0) directory.halfOpenBySource.set(source, left);
  else directory.halfOpenBySource.delete(source);
}

export function addContact(directory: Directory, session: string, contact: Contact): void {
  const key = contactKey(contact);
  const sessions = directory.contacts.get(key) ?? new Set();
  sessions.add(session);
  directory.contacts.set(key, sessions);
}

/** A session came from its record, or took another one in. */
export function enter(directory: Directory, { session, vault }: SessionView<IkeVault>): void {
  for (const cookie of Object.keys(vault.sas)) if (cookie !== session) directory.joined.set(cookie, session);
  for (const contact of vault.contacts) addContact(directory, session, contact);
  for (const spi of Object.values(vault.spis)) directory.spis.set(spi, session);
}

export function forget(directory: Directory, session: string, { cookies, spis }: Pruned): void {
  for (const cookie of cookies) if (directory.joined.get(cookie) === session) directory.joined.delete(cookie);
  for (const spi of spis) if (directory.spis.get(spi) === session) directory.spis.delete(spi);
}

export function leave(directory: Directory, { session, vault }: SessionView<IkeVault>): void {
  removeHalfOpen(directory, session);
  if (vault.founding !== undefined && directory.founding.get(vault.founding) === session) {
    directory.founding.delete(vault.founding);
  }
  forget(directory, session, { cookies: Object.keys(vault.sas), spis: Object.values(vault.spis) });
  for (const contact of vault.contacts) {
    const key = contactKey(contact);
    const sessions = directory.contacts.get(key);
    sessions?.delete(session);
    if (sessions?.size === 0) directory.contacts.delete(key);
  }
}
