import type { Flow, IkePacket, L2tpDatagram, L2tpPacket, PppFrame, PppPacket } from '@culvert/contracts';
import type {
  Declaration,
  EngineCounters,
  EngineEvent,
  EnginePolicy,
  SessionReport,
} from '../pipeline/index.ts';

/**
 * The data plane as the service sees it: one engine, or several in threads of their own. Commands about
 * one session keep their order.
 */
export interface DataPlane {
  /** Resolves when packets flow; `report` is called from then on. */
  start(report: (reports: readonly PlaneReport[]) => void): Promise<void>;
  post(command: PlaneCommand): void;
  stop(): Promise<void>;
}

export type PlaneCommand =
  | { readonly type: 'declare'; readonly declaration: Declaration }
  | {
      readonly type: 'grant';
      readonly session: string;
      readonly inboundSpi: number;
      readonly first: number;
      readonly end: number;
    }
  /** An IKE message; `session` where one is known, to keep the order with its entries. */
  | {
      readonly type: 'ike';
      readonly session?: string;
      readonly flow: Flow;
      readonly nonEspMarker: boolean;
      readonly octets: Uint8Array;
    }
  | { readonly type: 'l2tp'; readonly datagram: Pick<L2tpDatagram, 'session' | 'innerPorts' | 'octets'> }
  | { readonly type: 'ppp'; readonly frame: Pick<PppFrame, 'session' | 'call' | 'octets'> }
  | { readonly type: 'policy'; readonly policy: EnginePolicy };

export type PlaneReport =
  | { readonly type: 'ike'; readonly packet: Omit<IkePacket, 'node'> }
  | { readonly type: 'l2tp'; readonly packet: L2tpPacket; readonly trace: string }
  | { readonly type: 'ppp'; readonly packet: PppPacket; readonly trace: string }
  | { readonly type: 'event'; readonly event: EngineEvent }
  | { readonly type: 'sessions'; readonly reports: readonly SessionReport[] }
  /** Totals since the start of that engine. */
  | {
      readonly type: 'counters';
      readonly engine: number;
      readonly counters: EngineCounters;
      readonly io: IoCounters;
    }
  /** A command that could not be carried out: our fault. */
  | { readonly type: 'refused'; readonly command: PlaneCommand['type']; readonly why: string }
  /** A packet on which the engine threw, which none may do; the packet is lost, the others go on. */
  | { readonly type: 'fault'; readonly why: string };

/** What sockets and tun did with packets: totals since the start. */
export interface IoCounters {
  readonly received: number;
  readonly sent: number;
  readonly sendFailed: number;
  readonly tunRead: number;
  readonly tunWritten: number;
  readonly tunFailed: number;
  readonly handedOver: number;
  readonly handOverFull: number;
  readonly backlogFull: number;
  readonly faults: number;
}

export function noIo(): { -readonly [K in keyof IoCounters]: number } {
  return {
    received: 0,
    sent: 0,
    sendFailed: 0,
    tunRead: 0,
    tunWritten: 0,
    tunFailed: 0,
    handedOver: 0,
    handOverFull: 0,
    backlogFull: 0,
    faults: 0,
  };
}

/** What a plane needs of the configuration. */
export interface PlaneSetup {
  readonly policy: EnginePolicy;
  readonly replayWindow: number;
}
