import type { Flow, IkePacket, L2tpDatagram, L2tpPacket, PppFrame, PppPacket } from '@culvert/contracts';
import { emitMarked } from '@culvert/wire/esp';
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
      readonly load: EngineLoad;
    }
  /** An engine runs, with this cipher. */
  | {
      readonly type: 'started';
      readonly engine: number;
      readonly backend: string;
      readonly thread: number;
    }
  /** An engine's thread has died; another takes its place. */
  | { readonly type: 'lost'; readonly engine: number; readonly why: string }
  /** Control packets that were dropped because nobody took them in time. */
  | { readonly type: 'backlog'; readonly dropped: number }
  /** A command that could not be carried out: our fault. */
  | { readonly type: 'refused'; readonly command: PlaneCommand['type']; readonly why: string };

/** What sockets and tun did with packets: totals since the start. A message carries one packet, or many joined. */
export const IO_COUNTERS = [
  'received',
  'sent',
  'sendFailed',
  'tunRead',
  'tunWritten',
  'tunFailed',
  'handedOver',
  'handOverFull',
  'controlFull',
  'messagesIn',
  'messagesOut',
  'segmentedSends',
  'contextMisses',
] as const;

export type IoCounters = Readonly<Record<(typeof IO_COUNTERS)[number], number>>;

/** How busy an engine is. */
export interface EngineLoad {
  /** Totals since the start. */
  readonly busyNs: number;
  readonly idleNs: number;
  /** Octets that wait in its sockets now, and the most that did. */
  readonly queueOctets: number;
  readonly queueOctetsMax: number;
  /** Packets by how long they were in the engine: bucket i counts those below 2^i quarters of a microsecond. */
  readonly latency: readonly number[];
}

/** Of an engine without sockets and threads. */
export const NO_IO = Object.fromEntries(IO_COUNTERS.map((name) => [name, 0])) as IoCounters;
export const NO_LOAD: EngineLoad = { busyNs: 0, idleNs: 0, queueOctets: 0, queueOctetsMax: 0, latency: [] };

/** The datagram of an IKE command. */
export function datagramOf(command: Extract<PlaneCommand, { type: 'ike' }>): Uint8Array {
  return command.nonEspMarker ? emitMarked(command.octets) : command.octets;
}

/** What a plane needs of the configuration. */
export interface PlaneSetup {
  readonly policy: EnginePolicy;
  readonly replayWindow: number;
}
