import { type Forwarding, forwardingOf } from '@culvert/actors-ppp';
import type { ForwardPart, LinkEntry } from '@culvert/contracts';
import type { SessionView, Vault } from '@culvert/host';
import { formatAddress, mappedIpv4 } from '@culvert/wire/ip';
import { linksOf } from './links.ts';

/** One entry for each link whose IPCP or IPV6CP is Opened. */
export function forward({ session, trace, state }: SessionView<Vault>): ForwardPart | undefined {
  const entries = linksOf(state).flatMap(({ context }) => {
    const forwarding = forwardingOf(context);
    return forwarding === undefined ? [] : [entryOf(forwarding, session, trace)];
  });
  return entries.length === 0 ? undefined : { entries };
}

function entryOf(forwarding: Forwarding, session: string, trace: string): LinkEntry {
  const { ipv4, ipv6, ...link } = forwarding;
  return {
    kind: 'link',
    session,
    trace,
    ...link,
    ...(ipv4 && { ipv4: { address: formatAddress(mappedIpv4(ipv4)) } }),
    ...(ipv6 && { ipv6: { ...ipv6, prefix: formatAddress(ipv6.prefix) } }),
  };
}
