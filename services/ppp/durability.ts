import { type Forwarding, forwardingOf } from '@culvert/actors-ppp';
import type { Durability } from '@culvert/host';
import type { SessionState } from '@culvert/kernel';
import { toHex } from '@culvert/wire';
import { linksOf } from './links.ts';

/**
 * Nothing is stored before the first link's network phase is Opened: a client whose link is lost half-way
 * dials again. From then on what the data plane must know, and every change of a link's phase, is stored
 * before it is said. Echo, Identification and refused protocols change nothing durable.
 */
export function durability(before: SessionState, after: SessionState): Durability {
  if (!isKept(before) && !isKept(after)) return 'none';
  return outline(before) === outline(after) ? 'none' : 'now';
}

function isKept(state: SessionState): boolean {
  return linksOf(state).some(({ context }) => context.opened);
}

function outline(state: SessionState): string {
  const lines = linksOf(state).map(({ value, context }) => {
    const entry = entryText(forwardingOf(context));
    return `${context.call} ${JSON.stringify(value)} ${entry} ${context.ending?.reason ?? ''}`;
  });
  return lines.join('\n');
}

function entryText(entry: Forwarding | undefined): string {
  if (entry === undefined) return '-';
  const { user, ipv4, ipv6, mtuToPeer, mruFromPeer, pfcToPeer, acfcToPeer } = entry;
  const four = ipv4 === undefined ? '' : toHex(ipv4);
  const six = ipv6 === undefined ? '' : toHex(ipv6.prefix) + toHex(ipv6.interfaceId);
  return JSON.stringify([user, four, six, mtuToPeer, mruFromPeer, pfcToPeer, acfcToPeer]);
}
