import type {
  Actors,
  Delivery,
  EntropySeed,
  Happening,
  Instant,
  Migrations,
  SessionState,
  StoredSession,
} from '@culvert/kernel';

/** What happened, stamped once when it entered the mailbox. */
export interface Fact<Body> {
  readonly seq: number;
  readonly at: Instant;
  readonly entropy: EntropySeed;
  readonly body: Body;
}

/** A reason is a metric label: a closed set of short kebab-case words per protocol. */
export interface Dropped {
  readonly drop: string;
}

/**
 * One session's secrets as its service keeps them beside the machines: key material by handle, IV chains.
 * Plain data, stored only in the sealed record, never seen by a machine.
 */
export type Vault = Record<string, unknown>;

export interface SessionView<V extends Vault> {
  readonly session: string;
  readonly shard: number;
  readonly state: SessionState;
  readonly vault: V;
  /** The session's W3C traceparent. */
  readonly trace: string;
}

/**
 * What a performer learns besides its effect. `revision` is that of the record that the effect's own
 * step wrote, if it wrote one; `record` names it, for packets that must not overtake it.
 */
export interface Performing<V extends Vault> extends SessionView<V> {
  readonly id: string;
  readonly from: string;
  readonly record?: { readonly bucket: string; readonly key: string; readonly revision: number };
}

/**
 * How one effect type is carried out.
 * - `peer`: octets for the client. `seal` runs before the record is written, so that what leaves is what
 *   was recorded; `perform` once after it. Never repeated after a restore.
 * - `service`: for another service or KV. Repeated with back-off until the promise resolves, also after a
 *   restore, under the same id. What it resolves to becomes an input of the same session.
 * - `local`: work of our own (Diffie-Hellman, timers of the outside world). Run once; its answer becomes
 *   an input of the same session; a rejection is our fault and stops the session.
 */
export type Performer<E, Input, V extends Vault> =
  | {
      readonly class: 'peer';
      seal(effect: E, view: SessionView<V> & { readonly from: string }): unknown;
      perform(sealed: never, context: Performing<V>): void;
    }
  | {
      readonly class: 'service';
      /**
       * Service effects of one machine are performed one after the other, so that `start` never arrives
       * after `stop`. Those with a lane keep the order only among that machine's effects of the same lane:
       * a question that may wait long must not hold up the rest.
       */
      readonly lane?: string;
      perform(effect: E, context: Performing<V>): Promise<Input | undefined>;
    }
  | { readonly class: 'local'; perform(effect: E, context: Performing<V>): Promise<Input | undefined> };

/**
 * `none`: nothing worth storing changed (or the session is not established yet: half-open handshakes are
 * not durable). `lazy`: written with the next batch, at most 250 ms later. `now`: written before any
 * effect of the step is performed; a `lazy` step that asks for a service effect is treated so too, because
 * the effect's id must survive a crash.
 */
export type Durability = 'none' | 'lazy' | 'now';

/** Everything a service says of its protocol; the host does the rest. */
export interface Protocol<Input, Body, E extends Happening, V extends Vault = Vault> {
  readonly name: 'ike' | 'l2tp' | 'ppp';
  /** Of the stored form. */
  readonly version: number;
  readonly migrations: Migrations<{ readonly state: StoredSession; readonly vault: Vault }>;
  readonly bucket: string;
  readonly actors: Actors;
  readonly limits: { readonly sessionsMax: number; readonly mailboxMax: number };

  /** The session an input belongs to; `create` where it may found a new one. */
  locate(input: Input): { readonly session: string; readonly create: boolean } | Dropped;
  /** Vault of a new session. */
  newVault(): V;
  /** Step 3, the impure half: decrypts and verifies with the keys of the vault. Pure for plain inputs. */
  open(input: Input, view: SessionView<V>): Body | Dropped;
  /** Step 3, the pure half, from the actor's folder. A first fact begets the session's first machines. */
  classify(fact: Fact<Body>, state: SessionState): readonly Delivery[] | Dropped;
  readonly effects: { readonly [T in E['type']]: Performer<Extract<E, { type: T }>, Input, V> };
  durability(before: SessionState, after: SessionState): Durability;
  /** The forwarding entries this state wants, secrets included; undefined when it wants none. */
  forward(view: SessionView<V>): unknown;
  /** The session is over in this service once this is true: record deleted, mailbox closed. */
  ended(state: SessionState): boolean;
  /** Joins the vault of a session that moves into another one (`Host.move`). */
  absorb?(into: V, from: V): V;
  /** Called when a session is restored from its record or leaves, to keep indexes of the service. */
  restored?(view: SessionView<V>): void;
  closed?(view: SessionView<V>): void;
  /** What `culvert session` shows. */
  summary(view: SessionView<V>): Readonly<Record<string, string | number | boolean>>;
}
