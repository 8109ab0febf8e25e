import type { CallEntry, LinkEntry, SaEntry, SessionId } from '@culvert/contracts';
import type { Instant } from '@culvert/kernel';
import type { Prefix } from '@culvert/wire/ip';
import type { EspTransform, ReplayWindow } from '../esp/index.ts';
import type { Judged } from './entry-checks.ts';
import type { OuterFlow } from './flow.ts';
import type { Rule } from './link-policy.ts';
import type { Mark } from './past.ts';
import { newRoutes, type Routes } from './routes.ts';
import type { Selector } from './selectors.ts';
import type { Rate, TokenBucket } from './token-bucket.ts';

/** The engine's tables. Rows are changed in place: one thread owns them. */
export interface SessionRow {
  readonly session: SessionId;
  /** What each bucket's record declares, but for what was refused. */
  readonly declared: Map<string, Judged>;
  trace: string;
  /** Newest first. */
  sas: readonly SaRow[];
  calls: ReadonlyMap<number, CallRow>;
  /** The link without a call, whose packets run in tunnel mode. */
  tunnelLink?: LinkRow;
  lastInboundAt?: Instant;
  octetsIn: number;
  octetsOut: number;
  packetsIn: number;
  packetsOut: number;
  readonly accounting: number[];
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
  inbound: EspTransform;
  outbound: EspTransform;
  /** How long the peer's ICVs are is not known before the first that holds (`icv-length.ts`). */
  icvUndecided: boolean;
  /** In tunnel mode: our ends, and the peer's. */
  tunnel?: { readonly local: readonly Selector[]; readonly remote: readonly Selector[] };
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
  /** No more will be granted. */
  last: boolean;
  /** The first number that was sealed under this engine's IVs. */
  first?: number;
  /** What waits for numbers. */
  stalled: { readonly outgoing: Outgoing; readonly at: Instant }[];
}

/** What ESP is to carry, and the TOS or traffic class around it. */
export interface Outgoing {
  readonly nextHeader: number;
  readonly payload: Uint8Array;
  readonly tos: number;
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
  readonly session: SessionRow;
  /** None in tunnel mode. */
  readonly call?: CallRow;
  readonly entry: LinkEntry;
  /** Four octets. */
  readonly ipv4?: Uint8Array;
  readonly ipv6?: Prefix;
  readonly routes: readonly Prefix[];
  /** Absent: everything is permitted. */
  readonly rules?: readonly Rule[];
  readonly fromPeer?: Meter;
  readonly toPeer?: Meter;
}

/** How many octets of inner packets may pass one way. */
export interface Meter {
  readonly rate: Rate;
  readonly bucket: TokenBucket;
}

export interface Tables {
  readonly sessions: Map<SessionId, SessionRow>;
  /** By inbound SPI. */
  readonly sas: Map<number, SaRow>;
  readonly routes: Routes;
  /** SAs that were here, by inbound SPI. */
  readonly past: Map<number, Mark>;
}

export function newTables(past: Iterable<readonly [number, Mark]> = []): Tables {
  return {
    sessions: new Map(),
    sas: new Map(),
    routes: newRoutes(),
    past: new Map(past),
  };
}
