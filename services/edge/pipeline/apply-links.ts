import type { LinkEntry } from '@culvert/contracts';
import { type Instant, invariant } from '@culvert/kernel';
import { ipv4Octets, parseAddress, parsePrefix, prefixOf } from '@culvert/wire/ip';
import type { Wanted } from './apply.ts';
import { meterOf, ruleOf } from './link-policy.ts';
import { addRoutes, removeRoutes } from './routes.ts';
import type { CallRow, LinkRow, SessionRow, Tables } from './rows.ts';

/** Rows are made anew, so that prefixes can change hands; what a link's meters had left goes along. */
export function reconcileLinks(
  tables: Tables,
  session: SessionRow,
  { wanted, kept }: Wanted<LinkEntry>,
  refuse: (why: string) => void,
  at: Instant,
): void {
  const before = new Map<number, LinkRow>();
  for (const place of [session, ...session.calls.values()]) {
    const link = linkAt(place);
    if (link === undefined || kept.has(link.entry.call)) continue;
    before.set(link.entry.call, link);
    removeRoutes(tables, link);
    setLink(place, undefined);
  }
  for (const entry of wanted) {
    const place = entry.call === 0 ? session : session.calls.get(entry.call);
    // A link whose call is not there (yet) waits in `declared`.
    if (place === undefined) continue;
    const former = before.get(entry.call);
    const link = newLink(place, entry, former, at);
    const free = linkAt(place) === undefined;
    if (free && addRoutes(tables, link)) {
      setLink(place, link);
      continue;
    }
    refuse('address or call is taken by another link');
    // What was there stays, unless another link has taken its prefixes too.
    if (free && former !== undefined && addRoutes(tables, former)) setLink(place, former);
  }
}

/** Where a link hangs: on its call, or in tunnel mode on the session. */
type Place = SessionRow | CallRow;

function isCall(place: Place): place is CallRow {
  return 'nsOut' in place;
}

function linkAt(place: Place): LinkRow | undefined {
  return isCall(place) ? place.link : place.tunnelLink;
}

function setLink(place: Place, link: LinkRow | undefined): void {
  if (isCall(place)) {
    if (link === undefined) delete place.link;
    else place.link = link;
  } else if (link === undefined) delete place.tunnelLink;
  else place.tunnelLink = link;
}

/** For an entry that was checked. */
function newLink(place: Place, entry: LinkEntry, former: LinkRow | undefined, at: Instant): LinkRow {
  const { ipv4, ipv6, routes = [], policy = {} } = entry;
  const { rules, rateFromPeer, rateToPeer } = policy;
  return {
    ...(isCall(place) ? { session: place.session, call: place } : { session: place }),
    entry,
    ...(ipv4 && { ipv4: ipv4Octets(addressOf(ipv4.address)) }),
    ...(ipv6 && { ipv6: prefixOf(addressOf(ipv6.prefix.split('/')[0] ?? ''), ipv6.prefixLength) }),
    routes: routes.map((route) => {
      const prefix = parsePrefix(route);
      invariant(prefix.ok, 'link: route is not a prefix');
      return prefix.value;
    }),
    ...(rules && { rules: rules.map(ruleOf) }),
    ...(rateFromPeer && { fromPeer: meterOf(rateFromPeer, former?.fromPeer, at) }),
    ...(rateToPeer && { toPeer: meterOf(rateToPeer, former?.toPeer, at) }),
  };
}

function addressOf(text: string): Uint8Array {
  const address = parseAddress(text);
  invariant(address.ok, 'link: not an address');
  return address.value;
}
