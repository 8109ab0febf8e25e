/**
 * What services know of NATS. `nats.ts` is the real thing, the simulator brings another with the same
 * contract; nothing above this file imports a NATS library.
 *
 * Payloads are plain data (msgpackr, `useRecords: false`); octet strings come back as Uint8Array.
 */
export interface Message<T> {
  readonly subject: string;
  readonly payload: T;
  /** W3C traceparent from the message's headers. */
  readonly trace?: string;
}

export interface Subscription {
  close(): void;
}

export interface PublishOptions {
  readonly trace?: string | undefined;
}

export interface Bus {
  /** At most once, silently lost while disconnected or without a subscriber. */
  publish(subject: string, payload: unknown, options?: PublishOptions): void;
  /** `subject` may hold the wildcard `*`. A handler that throws is a fault of ours: logged and counted. */
  subscribe<T>(subject: string, handler: (message: Message<T>) => void): Subscription;
  /** Rejects with BusUnavailable: no responder, no connection, or no answer within `timeoutMs`. */
  request<T>(
    subject: string,
    payload: unknown,
    options: PublishOptions & { readonly timeoutMs: number },
  ): Promise<T>;
  /** Instances that respond to the same subject share the requests (queue group). */
  respond<T>(subject: string, handler: (message: Message<T>) => unknown | Promise<unknown>): Subscription;
  bucket(name: string): Promise<Bucket>;
  readonly connected: boolean;
  onConnection(handler: (connected: boolean) => void): Subscription;
  close(): Promise<void>;
}

export interface Entry {
  readonly key: string;
  /** Undefined: the key was deleted. */
  readonly value: Uint8Array | undefined;
  readonly revision: number;
}

export interface Bucket {
  readonly name: string;
  get(key: string): Promise<Entry | undefined>;
  /** Fails with RevisionConflict when the key exists (a deleted key does not). Answers the new revision. */
  create(key: string, value: Uint8Array): Promise<number>;
  /** Compare-and-set: fails with RevisionConflict unless `revision` is the key's current one. */
  update(key: string, value: Uint8Array, revision: number): Promise<number>;
  delete(key: string, revision?: number): Promise<void>;
  /**
   * All present entries that match, then every change in order. `caughtUp` is called once, after the last
   * present entry was handed over. After a lost connection the watch resumes by itself and may repeat entries.
   */
  watch(filter: string, handler: (entry: Entry) => void, caughtUp?: () => void): Promise<Subscription>;
}

/** Nothing answered: the operation was not done, or (`unknown`) nobody knows whether it was. */
export class BusUnavailable extends Error {
  override readonly name = 'BusUnavailable';
  readonly unknownOutcome: boolean;
  constructor(what: string, unknownOutcome = false) {
    super(what);
    this.unknownOutcome = unknownOutcome;
  }
}

export class RevisionConflict extends Error {
  override readonly name = 'RevisionConflict';
}
