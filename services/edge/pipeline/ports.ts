import type { IkePacket, L2tpPacket, PppPacket, SessionId } from '@culvert/contracts';
import type { Instant } from '@culvert/kernel';
import type { Prefix } from '@culvert/wire/ip';
import type { IvSource } from '../esp/index.ts';
import type { OuterFlow } from './flow.ts';
import type { Mark } from './past.ts';
import type { DropCounters } from './reasons.ts';

/** What arrived from outside, and on what: octets behind UDP, or behind IP for raw ESP. */
export interface OuterPacket {
  readonly via: 'ike' | 'nat-traversal' | 'esp';
  /** Name of the configured listener; empty for raw ESP. */
  readonly listener: string;
  /** Ports are 0 for raw ESP. The engine copies what it keeps. */
  readonly flow: OuterFlow;
  readonly octets: Uint8Array;
  /** TOS or traffic class of the outer IP header; absent: 0. */
  readonly tos?: number;
}

/** Where the engine's packets go. Octets handed over are the sink's to keep. */
export interface EngineSink {
  /** An ESP packet: in UDP from `flow`'s ports, or bare; `tos` is for the outer IP header. */
  outer(flow: OuterFlow, encapsulation: 'none' | 'udp', octets: Uint8Array, tos: number): void;
  /** A packet for the tun. */
  inner(packet: Uint8Array): void;
  ike(packet: Omit<IkePacket, 'node'>): void;
  l2tp(packet: L2tpPacket, trace: string): void;
  ppp(packet: PppPacket, trace: string): void;
  event(event: EngineEvent): void;
}

export type EngineEvent =
  /** Outbound sequence numbers of this SA are half used up, or none were ever reserved. */
  | {
      readonly type: 'sequence-wanted';
      readonly session: SessionId;
      readonly inboundSpi: number;
      readonly outboundSpi: number;
    }
  | {
      readonly type: 'endpoint-moved';
      readonly session: SessionId;
      readonly trace: string;
      readonly from: OuterFlow;
      readonly to: OuterFlow;
    }
  /** The peer makes ICVs of 96 bits where HMAC-SHA-256 has 128: it is old, and gets the same. */
  | {
      readonly type: 'icv-truncated';
      readonly session: SessionId;
      readonly trace: string;
      readonly inboundSpi: number;
    }
  /** An entry that cannot be carried out: a fault of ours, but of one session. */
  | { readonly type: 'entry-refused'; readonly session: SessionId; readonly why: string };

export interface EngineOptions {
  readonly ivs: IvSource;
  readonly sink: EngineSink;
  readonly policy: EnginePolicy;
  readonly replayWindow?: number;
  /** How far SAs had come before this start, by inbound SPI. */
  readonly past?: ReadonlyMap<number, Mark>;
}

/** What clients may reach, the same for all. */
export interface EnginePolicy {
  /** The gateway's own addresses, broadcast addresses included; 16 octets in hexadecimal. */
  readonly localAddresses: ReadonlySet<string>;
  /** Our end of every link: answers Echo and nothing else. */
  readonly gateway4?: Uint8Array;
  /** Where clients live. */
  readonly pools: readonly Prefix[];
  /** Empty: everything that is not refused for another reason. */
  readonly corporate: readonly Prefix[];
  readonly clientToClient: boolean;
  readonly outerMtu: number;
}

/** Octets and packets are those of the inner side: what left and what entered the tun. */
export interface SessionReport {
  readonly session: SessionId;
  readonly lastInboundAt?: Instant;
  readonly endpoint?: OuterFlow;
  readonly octetsIn: number;
  readonly octetsOut: number;
  readonly packetsIn: number;
  readonly packetsOut: number;
  /** The same by direction, family and class: `accountIndex` says where. */
  readonly accounting: readonly number[];
  readonly drops: number;
  readonly sas: number;
  readonly links: number;
  /** The highest sequence number that came in on each SA. */
  readonly windows: readonly SaWindow[];
}

export interface SaWindow {
  readonly inboundSpi: number;
  readonly outboundSpi: number;
  readonly top: number;
}

export interface EngineCounters {
  readonly drops: DropCounters;
  readonly espIn: number;
  readonly espOut: number;
  readonly keepalives: number;
  readonly moves: number;
  readonly icvTruncated: number;
}
