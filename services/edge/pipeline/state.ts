import type { IvSource } from '../esp/index.ts';
import type { Admission } from './ike-admission.ts';
import type { EngineOptions, EnginePolicy, EngineSink } from './ports.ts';
import type { DropCounters, DropReason } from './reasons.ts';
import type { SaRow, SessionRow, Tables } from './rows.ts';

/** What the engine's stages share. */
export interface EngineState {
  readonly tables: Tables;
  readonly sink: EngineSink;
  readonly ivs: IvSource;
  readonly options: EngineOptions;
  policy: EnginePolicy;
  readonly drops: DropCounters;
  espIn: number;
  espOut: number;
  keepalives: number;
  moves: number;
  icvTruncated: number;
  readonly admission: Admission;
}

/** The only place where a packet ends without leaving. */
export function drop(state: EngineState, reason: DropReason, session?: SessionRow): void {
  state.drops[reason] += 1;
  if (session !== undefined) {
    session.drops += 1;
    session.touched = true;
  }
}

/** A decrypted packet with the SA that vouched for it. */
export interface Decrypted {
  readonly sa: SaRow;
  readonly innerPorts: { readonly local: number; readonly remote: number };
  /** L2TP, from its flags on. */
  readonly octets: Uint8Array;
  /** TOS or traffic class of the outer header. */
  readonly tos: number;
}
