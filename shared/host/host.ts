import type { SessionSummary, Taken } from '@culvert/contracts';
import type { SessionView, Vault } from './protocol.ts';

export interface Host<Input, V extends Vault> {
  /** Loads the records, arms their timers, then takes inputs. */
  start(): Promise<void>;
  /** A client's packet: at most once, dropped when the mailbox is full. */
  input(input: Input, trace?: string): void;
  /** Another service's request: answered once it is in a durable step; a repeated `id` is answered alone. */
  request(id: string, input: Input, trace?: string): Promise<Taken>;
  /** Moves every machine, timer and vault entry of a session into another one and closes the first. */
  move(from: string, into: string): void;
  view(session: string): SessionView<V> | undefined;
  sessions(): Iterable<SessionView<V>>;
  /** What the admin subjects answer: fits `Runtime.serveAdmin` as it is. */
  readonly admin: HostAdmin;
  /** Stops taking new sessions, writes what is lazy, lets go. */
  drain(): Promise<void>;
}

export interface HostAdmin {
  status(): {
    readonly sessions: number;
    readonly details: Readonly<Record<string, unknown>>;
    /** The records are not loaded yet. */
    readonly starting: boolean;
  };
  sessions(): readonly SessionSummary[];
  session(session: string): SessionSummary | undefined;
}
