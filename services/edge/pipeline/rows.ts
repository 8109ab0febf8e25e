import type { CallEntry, ForwardEntry, LinkEntry, SaEntry, SessionId } from '@culvert/contracts';
import type { Instant } from '@culvert/kernel';
import type { Prefix } from '@culvert/wire/ip';
import type { EspTransform, ReplayWindow } from '../esp/index.ts';
import type { OuterFlow } from './flow.ts';
import type { Mark } from './past.ts';
import type { TokenBucket } from './token-bucket.ts';

/** The engine's tables. Rows are changed in place: one thread owns them. */
export interface SessionRow {
  readonly session: SessionId;
  /** What each bucket's record declares, as it was applied. */
  readonly declared: Map<string, readonly ForwardEntry[]>;
  trace: string;
  /** Newest first. */
  sas: readonly SaRow[];
  calls: ReadonlyMap<number, CallRow>;
  lastInboundAt?: Instant;
  octetsIn: number;
  octetsOut: number;
  packetsIn: number;
  packetsOut: number;
  drops: number;
  /** Something changed since the last report. */
  touched: boolean;
  readonly control: TokenBucket;
  readonly icmp: TokenBucket;
  readonly moves: TokenBucket;
}

export interface SaRow {
  readonly session: SessionRow;
  entry: SaEntry;
  readonly inbound: EspTransform;
  readonly outbound: EspTransform;
  window: ReplayWindow;
  /** Where its packets come from and go to now. */
  endpoint: OuterFlow;
  /** An authenticated packet has come in on it. */
  seen: boolean;
  readonly sequence: SequenceBlocks;
}

/** Reserved outbound sequence numbers: [next, end), then [following.next, following.end). */
export interface SequenceBlocks {
  next: number;
  end: number;
  following?: { readonly next: number; readonly end: number };
  asked: boolean;
  /** UDP datagrams that wait for numbers. */
  stalled: { readonly datagram: Uint8Array; readonly at: Instant }[];
}

export interface CallRow {
  readonly session: SessionRow;
  entry: CallEntry;
  link?: LinkRow;
  /** RFC 2661 §5.4, data messages: the next number each way. */
  nsOut: number;
  nsExpected?: number;
  readonly control: TokenBucket;
  readonly linkLocal: TokenBucket;
}

export interface LinkRow {
  readonly call: CallRow;
  readonly entry: LinkEntry;
  /** Four octets. */
  readonly ipv4?: Uint8Array;
  readonly ipv6?: Prefix;
}

export interface Tables {
  readonly sessions: Map<SessionId, SessionRow>;
  /** By inbound SPI. */
  readonly sas: Map<number, SaRow>;
  /** By IPv4 address as a number, and by the high 64 bits of IPv6. */
  readonly routes4: Map<number, LinkRow>;
  readonly routes6: Map<bigint, LinkRow>;
  /** SAs that were here, by inbound SPI. */
  readonly past: Map<number, Mark>;
}

export function newTables(past: Iterable<readonly [number, Mark]> = []): Tables {
  return {
    sessions: new Map(),
    sas: new Map(),
    routes4: new Map(),
    routes6: new Map(),
    past: new Map(past),
  };
}
