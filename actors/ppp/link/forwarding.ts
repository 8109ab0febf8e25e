import { lcpOptions, optionOf } from '@culvert/wire/ppp';
import { mruOf } from '../lcp/negotiation.ts';
import type { LinkContext } from './context.ts';

/** What the data plane must know of a link whose network phase has opened. */
export interface Forwarding {
  readonly call: number;
  readonly user: string;
  /** Four octets. */
  readonly ipv4?: Uint8Array;
  readonly ipv6?: {
    readonly prefix: Uint8Array;
    readonly prefixLength: number;
    readonly interfaceId: Uint8Array;
  };
  readonly mtuToPeer: number;
  readonly mruFromPeer: number;
  readonly pfcToPeer: boolean;
  readonly acfcToPeer: boolean;
}

/** Undefined while no network protocol is Opened: nothing may pass. */
export function forwardingOf(link: LinkContext): Forwarding | undefined {
  const { networks, lease, interfaceIds, lcp, user } = link;
  const ipv4 = networks.ipcp === 'opened' ? lease?.ipv4?.address : undefined;
  const ipv6 = networks.ipv6cp === 'opened' && interfaceIds !== undefined ? lease?.ipv6 : undefined;
  if (lcp === undefined || user === undefined || (ipv4 === undefined && ipv6 === undefined)) return undefined;
  return {
    call: link.call,
    user,
    ...(ipv4 && { ipv4 }),
    ...(ipv6 && interfaceIds && { ipv6: { ...ipv6, interfaceId: interfaceIds.theirs } }),
    // A peer that takes more than we ever send is sent no more than that.
    mtuToPeer: Math.min(mruOf(lcp.theirs), link.settings.mru),
    mruFromPeer: mruOf(lcp.ours),
    pfcToPeer: optionOf(lcp.theirs, lcpOptions.pfc) !== undefined,
    acfcToPeer: optionOf(lcp.theirs, lcpOptions.acfc) !== undefined,
  };
}
