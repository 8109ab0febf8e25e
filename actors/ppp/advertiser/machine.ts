import { exposed, type Instant, type Stamped } from '@culvert/kernel';
import { u16 } from '@culvert/wire';
import { routerAdvertisementPacket } from '@culvert/wire/ip';
import { protocols } from '@culvert/wire/ppp';
import { cancel, setup } from 'xstate';
import type { Emitted } from '../effects.ts';
import {
  CUR_HOP_LIMIT,
  INITIAL_ADVERTISEMENTS,
  INTERVAL_MAX_MS,
  INTERVAL_MIN_MS,
  LIFETIME_SECONDS,
  MIN_DELAY_BETWEEN_RAS_MS,
  PREFERRED_SECONDS,
  VALID_SECONDS,
} from './limits.ts';

const TICK = 'advertise';
const JITTER = 1;
const ALL_NODES = Uint8Array.of(0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

export interface AdvertiserContext {
  readonly call: number;
  /** Our link-local address, 16 octets. */
  readonly source: Uint8Array;
  readonly prefix: Uint8Array;
  readonly prefixLength: number;
  readonly mtu: number;
  readonly dns: readonly Uint8Array[];
  readonly sent: number;
  /** Of the last one to all nodes. */
  readonly sentAt: Instant;
}

export type AdvertiserInput = Omit<AdvertiserContext, 'sent' | 'sentAt'>;

type AdvertiserEvent = (
  | { readonly type: 'Start' | 'Tick' | 'Dismiss' }
  /** `from`: the soliciting host's link-local address, or undefined where it has none yet. */
  | { readonly type: 'Solicited'; readonly from?: Uint8Array }
) &
  Partial<Stamped>;

const advertising = setup({
  types: {
    context: {} as AdvertiserContext,
    events: {} as AdvertiserEvent,
    input: {} as AdvertiserInput & Partial<Stamped>,
    emitted: {} as Emitted,
  },
});

function advertisement(context: AdvertiserContext, destination: Uint8Array): Emitted {
  const { call, source, prefix, prefixLength, mtu, dns } = context;
  const information = routerAdvertisementPacket({
    source,
    destination,
    curHopLimit: CUR_HOP_LIMIT,
    routerLifetime: LIFETIME_SECONDS,
    mtu,
    prefix: {
      address: prefix,
      length: prefixLength,
      validLifetime: VALID_SECONDS,
      preferredLifetime: PREFERRED_SECONDS,
    },
    dns,
    dnsLifetime: dns.length === 0 ? 0 : LIFETIME_SECONDS,
  });
  return { type: 'frame.send', call, protocol: protocols.ipv6, information };
}

/** RFC 4861 §6.2.4: the first few in quick succession, then at uniformly random intervals. */
function intervalOf(sent: number, event: AdvertiserEvent): number {
  if (sent < INITIAL_ADVERTISEMENTS) return MIN_DELAY_BETWEEN_RAS_MS;
  const chance = event.entropy === undefined ? 0 : u16(exposed(event.entropy, JITTER, 2)) / 0x1_0000;
  return INTERVAL_MIN_MS + Math.floor(chance * (INTERVAL_MAX_MS - INTERVAL_MIN_MS));
}

const advertise = advertising.enqueueActions(({ context, event, enqueue }) => {
  const sent = context.sent + 1;
  enqueue.assign({ sent: Math.min(sent, INITIAL_ADVERTISEMENTS), sentAt: event.at ?? 0 });
  enqueue.emit(advertisement(context, ALL_NODES));
  enqueue.cancel(TICK);
  enqueue.raise({ type: 'Tick' }, { id: TICK, delay: intervalOf(sent, event) });
});

/** RFC 4861 §6.2: one router on a link with one host. */
export const advertiser = advertising
  .extend({
    guards: {
      hasAddress: ({ event }) => event.type === 'Solicited' && event.from !== undefined,
      /** §6.2.6: consecutive ones to all nodes keep their distance. */
      rested: ({ context, event }) => (event.at ?? 0) - context.sentAt >= MIN_DELAY_BETWEEN_RAS_MS,
    },
    actions: {
      advertise,
      answer: advertising.emit(({ context, event }) =>
        advertisement(context, (event.type === 'Solicited' ? event.from : undefined) ?? ALL_NODES),
      ),
    },
  })
  .createMachine({
    id: 'advertiser',
    context: ({ input }): AdvertiserContext => ({
      call: input?.call ?? 0,
      source: input?.source ?? new Uint8Array(16),
      prefix: input?.prefix ?? new Uint8Array(16),
      prefixLength: input?.prefixLength ?? 64,
      mtu: input?.mtu ?? 1280,
      dns: input?.dns ?? [],
      sent: 0,
      sentAt: 0,
    }),
    initial: 'idle',
    on: { Dismiss: '.dismissed' },
    states: {
      idle: { on: { Start: { target: 'advertising', actions: 'advertise' } } },
      advertising: {
        exit: cancel(TICK),
        on: {
          Tick: { actions: 'advertise' },
          Solicited: [
            { guard: 'hasAddress', actions: 'answer' },
            { guard: 'rested', actions: 'advertise' },
          ],
        },
      },
      dismissed: { type: 'final' },
    },
  });
