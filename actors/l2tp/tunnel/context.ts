import type { Instant, Stamped, Delivery as Told } from '@culvert/kernel';
import { type Delivery, type DeliveryPolicy, newDelivery } from '../delivery/delivery.ts';
import type { L2tpEffect } from '../effects.ts';
import { DELIVERY_DEFAULTS } from '../limits.ts';
import type { Heard, InnerPorts, Spoken } from '../messages.ts';
import type { EndReason } from '../reasons.ts';
import type { Turn } from '../turn.ts';
import type { TunnelEvent } from './events.ts';

/** What the configuration says of tunnels. */
export interface TunnelPolicy extends DeliveryPolicy {
  readonly hostName: string;
  readonly vendorName: string;
  /** Send a Challenge and insist on its response; there is a tunnel secret. */
  readonly authenticate: boolean;
  readonly hideAvps: boolean;
  readonly receiveWindow: number;
  readonly helloIdleMs: number;
  readonly callsMax: number;
}

/** What a tunnel is told when it is begotten. */
export interface TunnelInput {
  readonly localId: number;
  /** 0 .. TUNNELS_MAX - 1, unlike that of any other tunnel of the session. */
  readonly slot: number;
  /** 0 while we, as originator, do not know it. */
  readonly peerId: number;
  readonly innerPorts: InnerPorts;
  /** The client's outer address, for PPP and the operator. */
  readonly callingStation: string;
  readonly policy: TunnelPolicy;
}

export interface CallRow {
  readonly ours: number;
  /** 0 until the peer has assigned it. */
  readonly theirs: number;
}

/** Plain data; the tunnel secret is not among it. */
export interface TunnelContext extends TunnelInput {
  readonly delivery: Delivery<Spoken, Heard>;
  readonly calls: readonly CallRow[];
  /** Ours, while its response is awaited. */
  readonly challenge?: Uint8Array;
  readonly tieBreaker?: Uint8Array;
  readonly peerHostName: string;
  readonly peerVendorName: string;
  readonly openedAt?: Instant;
  readonly ending?: EndReason;
  readonly helloSentAt?: Instant;
  /** The Hello was not acknowledged and the edge is asked whether the client lives. */
  readonly doubted: boolean;
  /** A call was accepted: from here on the tunnel is stored. */
  readonly durable: boolean;
}

export type TunnelEmitted = L2tpEffect | Told;
export type TunnelTurn = Turn<TunnelContext, TunnelEvent, TunnelEmitted>;

/** Also called by XState with no input at all, so it must be total. */
export function newTunnel({
  input,
}: {
  readonly input: (TunnelInput & Omit<Stamped, 'type'>) | undefined;
}): TunnelContext {
  const { localId = 0, slot = 0, peerId = 0, callingStation = '' } = input ?? {};
  const innerPorts = input?.innerPorts ?? { local: 1701, remote: 1701 };
  const policy = input?.policy ?? NO_POLICY;
  return {
    localId,
    slot,
    peerId,
    innerPorts,
    callingStation,
    policy,
    delivery: newDelivery(policy.receiveWindow),
    calls: [],
    peerHostName: '',
    peerVendorName: '',
    doubted: false,
    durable: false,
  };
}

const NO_POLICY: TunnelPolicy = {
  hostName: '',
  vendorName: '',
  authenticate: false,
  hideAvps: false,
  receiveWindow: 1,
  helloIdleMs: 60_000,
  callsMax: 0,
  ...DELIVERY_DEFAULTS,
};

export const tunnelActor = (localId: number): string => `tunnel/${localId}`;
export const callActor = (ours: number): string => `call/${ours}`;
