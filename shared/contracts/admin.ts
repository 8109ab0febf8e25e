import type { EndReason } from './requests.ts';
import type { SessionId } from './session.ts';
import type { ServiceName } from './subjects.ts';

/** Answer to `culvert.admin.<service>.status`. */
export interface ServiceStatus {
  readonly service: ServiceName;
  readonly node: string;
  readonly pid: number;
  readonly version: string;
  readonly startedAt: number;
  readonly state: 'starting' | 'serving' | 'waiting-for-nats' | 'draining';
  readonly sessions: number;
  /** Resident set. */
  readonly memoryBytes: number;
  /** The main thread's heap in use, and what its objects hold outside. */
  readonly inUseBytes: number;
  /** Named counters since start: drops by reason, refusals, packets. */
  readonly counters: Readonly<Record<string, number>>;
  readonly details: Readonly<Record<string, unknown>>;
}

/** One session as one service sees it; the command line merges them by id. No secrets. */
export interface SessionSummary {
  readonly session: SessionId;
  readonly service: ServiceName;
  readonly since: number;
  /** Actor id -> state path, for example `{ 'lcp': 'timed.reqSent' }`. */
  readonly states: Readonly<Record<string, string>>;
  /** What an operator wants to see: peer, user, address, suite, octets. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  readonly traceId: string;
  readonly ending?: EndReason;
}
