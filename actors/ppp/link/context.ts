import type { ActorId, Happening, Stamped } from '@culvert/kernel';
import type { CpOption } from '@culvert/wire/ppp';
import { setup } from 'xstate';
import type { UserPolicy } from '../auth/events.ts';
import type { AuthMethod } from '../auth/proof.ts';
import { AUTOMATON_LIMITS } from '../automaton/limits.ts';
import type { Emitted } from '../effects.ts';
import type { Lease, LinkEvent } from './events.ts';
import type { Ending } from './reasons.ts';
import type { PppSettings } from './settings.ts';

export type Sibling = 'lcp' | 'auth' | 'echo' | 'ipcp' | 'ipv6cp' | 'advertiser';

export type NetworkLayer = 'ipcp' | 'ipv6cp';

export interface LinkContext {
  readonly call: number;
  readonly callingStation: string;
  readonly settings: PppSettings;
  /** What aaa can verify of what the settings allow, in our order. */
  readonly methods: readonly AuthMethod[];
  /** As agreed in LCP: ours by the peer, theirs by us. */
  readonly lcp?: { readonly ours: readonly CpOption[]; readonly theirs: readonly CpOption[] };
  readonly user?: string;
  readonly policy?: UserPolicy;
  /** A lease was asked for, so one must be given back. */
  readonly leasing: boolean;
  readonly lease?: Lease;
  /** Authentication phases so far: they name the questions to aaa, so that no old verdict answers a new one. */
  readonly authentications: number;
  /** Those since a network protocol was last Opened. */
  readonly fruitless: number;
  /** Network control protocols of the current network phase. */
  readonly networks: Readonly<Partial<Record<NetworkLayer, 'negotiating' | 'opened' | 'finished'>>>;
  /** Some network protocol has been Opened once: from then on the link is kept in its record. */
  readonly opened: boolean;
  /** Lower halves of the link-local addresses, 8 octets each, once IPV6CP has opened. */
  readonly interfaceIds?: { readonly ours: Uint8Array; readonly theirs: Uint8Array };
  /** Machines of this call that are there now, besides this one. */
  readonly siblings: readonly Sibling[];
  /** What the peer calls itself (RFC 1570 §1.1), printable characters only. */
  readonly identifications: readonly string[];
  /** Identifier of our last Protocol-Reject. */
  readonly rejectIdentifier: number;
  /** Set once: why the link ends, as told to the operator. */
  readonly ending?: Ending;
}

export interface LinkInput {
  readonly call: number;
  readonly callingStation: string;
  readonly settings: PppSettings;
}

const NO_SETTINGS: PppSettings = {
  name: '',
  mru: 1500,
  pfcAcfc: false,
  methods: [],
  automaton: AUTOMATON_LIMITS,
  establishMs: 30_000,
  authenticateMs: 60_000,
  echo: { intervalMs: 30_000, failures: 4 },
  dns: [],
  dns6: [],
  families: [],
};

export const linking = setup({
  types: {
    context: {} as LinkContext,
    events: {} as LinkEvent,
    input: {} as LinkInput & Partial<Stamped>,
    emitted: {} as Emitted,
  },
});

export function newLink(input: LinkInput | undefined): LinkContext {
  return {
    call: input?.call ?? 0,
    callingStation: input?.callingStation ?? '',
    settings: input?.settings ?? NO_SETTINGS,
    methods: [],
    leasing: false,
    authentications: 0,
    fruitless: 0,
    networks: {},
    opened: false,
    siblings: [],
    identifications: [],
    rejectIdentifier: 0,
  };
}

/** Machines of one call are siblings: `link/17`, `lcp/17`, `auth/17` and so on. */
export function actorId(kind: Sibling | 'link', call: number): ActorId {
  return `${kind}/${call}`;
}

export function tell<E extends Happening>(to: ActorId, event: E): Emitted {
  return { type: 'tell', to, event };
}

/** A machine comes to be idle; what it does first it does when told. */
export function beget(
  id: ActorId,
  input: object,
  ...first: readonly { readonly type: string }[]
): readonly Emitted[] {
  return [{ type: 'beget', id, input }, ...first.map((event) => tell(id, event))];
}
