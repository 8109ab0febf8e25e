import { type Forwarding, forwardingOf, type LinkContext } from '@culvert/actors-ppp';
import type { SessionView, Vault } from '@culvert/host';
import { formatAddress, mappedIpv4 } from '@culvert/wire/ip';
import { linksOf } from './links.ts';

type Facts = Readonly<Record<string, string | number | boolean>>;

/** What `culvert session` shows of the PPP part: the newest link, and how many there are. */
export function summary({ state }: SessionView<Vault>): Facts {
  const links = linksOf(state);
  const newest = links.at(-1)?.context;
  if (newest === undefined) return { links: 0 };
  const forwarding = forwardingOf(newest);
  return {
    links: links.length,
    call: newest.call,
    callingStation: newest.callingStation,
    open: forwarding !== undefined,
    ...personal(newest),
    ...(forwarding === undefined ? {} : network(forwarding)),
    ...(newest.ending === undefined ? {} : { ending: newest.ending.reason }),
  };
}

function personal({ user, identifications }: LinkContext): Facts {
  return {
    ...(user === undefined ? {} : { user: printable(user) }),
    ...(identifications.length === 0 ? {} : { client: identifications.join('; ') }),
  };
}

function network({ ipv4, ipv6, mtuToPeer, mruFromPeer, pfcToPeer, acfcToPeer }: Forwarding): Facts {
  return {
    ...(ipv4 && { address: formatAddress(mappedIpv4(ipv4)) }),
    ...(ipv6 && { prefix: `${formatAddress(ipv6.prefix)}/${ipv6.prefixLength}` }),
    mtuToPeer,
    mruFromPeer,
    compression: pfcToPeer || acfcToPeer,
  };
}

/** An operator's terminal shows it. */
function printable(name: string): string {
  return name.replace(/[\p{C}]/gu, '?').slice(0, 64);
}
