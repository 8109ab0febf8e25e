import { type Bus, BusUnavailable, decode, encode, type Message, type PublishOptions } from '@culvert/bus';
import { honestStore, memoryStore, type Store, type StoreFaults } from './bucket.ts';
import type { Chance } from './chance.ts';
import type { VirtualClock } from './clock.ts';
import { matches } from './topics.ts';

/** How messages may fail; all off unless named. */
export interface MessageFaults {
  /** Core messages that vanish. */
  loss: number;
  /** Answers that vanish: the responder acted, the asker hears a time-out. */
  answerLoss: number;
  latencyMs: number;
}

type Handler = (message: Message<unknown>) => unknown;

type AskOptions = PublishOptions & { readonly timeoutMs: number };

interface Interest {
  readonly client: Client;
  readonly filter: string;
  readonly handler: Handler;
  readonly responds: boolean;
}

interface Client {
  readonly name: string;
  connected: boolean;
  closed: boolean;
  readonly listeners: Set<(connected: boolean) => void>;
  readonly reachable: () => boolean;
}

/** A bus in memory with the contract of the real one; each service connects as a client of its own. */
export interface Broker {
  connect(name: string): SimBus;
  /** Change at any time. */
  readonly messages: MessageFaults;
  readonly storage: StoreFaults;
  /** What a bucket holds, for assertions. */
  store(name: string): Store;
  /** Sees every message that is delivered to at least one client. */
  tap(listener: (message: Message<unknown>) => void): void;
  /** Handlers that threw: faults of ours. */
  readonly faults: unknown[];
}

export interface SimBus extends Bus {
  /** Takes the connection away and brings it back, as a NATS server does that stops and starts. */
  cut(): void;
  heal(): void;
}

export function memoryBroker(clock: VirtualClock, chance: Chance): Broker {
  const messages: MessageFaults = { loss: 0, answerLoss: 0, latencyMs: 0 };
  const storage = honestStore();
  const stores = new Map<string, Store>();
  const interests = new Set<Interest>();
  const taps: ((message: Message<unknown>) => void)[] = [];
  const faults: unknown[] = [];

  const store = (name: string): Store => {
    const present = stores.get(name) ?? memoryStore(name, clock, chance.fork(name), storage);
    stores.set(name, present);
    return present;
  };
  const interested = (subject: string, responds: boolean) =>
    [...interests].filter(
      (one) => one.responds === responds && one.client.connected && matches(one.filter, subject),
    );
  const deliver = (
    interest: Interest,
    subject: string,
    octets: Uint8Array,
    trace: string | undefined,
  ): unknown => {
    const message = { subject, payload: decode(octets), ...(trace === undefined ? {} : { trace }) };
    for (const tap of taps) tap(message);
    return interest.handler(message);
  };
  const publish = (subject: string, octets: Uint8Array, trace: string | undefined) => {
    for (const interest of interested(subject, false)) {
      if (chance.happens(messages.loss)) continue;
      clock.after(messages.latencyMs, () => {
        if (!interests.has(interest) || !interest.client.connected) return;
        try {
          deliver(interest, subject, octets, trace);
        } catch (error) {
          faults.push(error);
        }
      });
    }
  };
  const ask = (client: Client, subject: string, octets: Uint8Array, options: AskOptions): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const { trace, timeoutMs } = options;
      const responders = interested(subject, true);
      const responder = responders[chance.below(responders.length)];
      if (responder === undefined) {
        clock.after(messages.latencyMs, () => reject(new BusUnavailable(`${subject}: nobody responds`)));
        return;
      }
      const giveUp = clock.after(timeoutMs, () => reject(new BusUnavailable(`${subject}: no answer`, true)));
      if (chance.happens(messages.loss)) return;
      const back = (settle: () => void) => {
        if (!responder.client.connected || chance.happens(messages.answerLoss)) return;
        clock.after(messages.latencyMs, () => {
          if (!client.connected) return;
          giveUp();
          settle();
        });
      };
      clock.after(messages.latencyMs, () => {
        if (!interests.has(responder) || !responder.client.connected) return;
        new Promise((taken) => taken(deliver(responder, subject, octets, trace))).then(encode).then(
          (answer) => back(() => resolve(decode(answer))),
          (error: unknown) => {
            faults.push(error);
            back(() => reject(new BusUnavailable(`${subject}: the responder failed`, true)));
          },
        );
      });
    });
  const connect = (name: string): SimBus => {
    const client: Client = {
      name,
      connected: true,
      closed: false,
      listeners: new Set(),
      reachable: () => client.connected,
    };
    return clientBus(client, { interests, stores, store, publish, ask });
  };
  return { connect, messages, storage, store, tap: (listener) => void taps.push(listener), faults };
}

interface Core {
  readonly interests: Set<Interest>;
  readonly stores: Map<string, Store>;
  store(name: string): Store;
  publish(subject: string, octets: Uint8Array, trace: string | undefined): void;
  ask(client: Client, subject: string, octets: Uint8Array, options: AskOptions): Promise<unknown>;
}

function clientBus(client: Client, core: Core): SimBus {
  const interest = (filter: string, handler: Handler, responds: boolean) => {
    const one = { client, filter, handler, responds };
    core.interests.add(one);
    return { close: () => void core.interests.delete(one) };
  };
  const turn = (connected: boolean) => {
    if (client.closed || client.connected === connected) return;
    client.connected = connected;
    for (const listener of client.listeners) listener(connected);
    if (connected) for (const store of core.stores.values()) store.resume(client.reachable);
  };
  return {
    publish(subject, payload, options) {
      const octets = encode(payload);
      if (client.connected) core.publish(subject, octets, options?.trace);
    },
    subscribe: (subject, handler) => interest(subject, handler as Handler, false),
    respond: (subject, handler) => interest(subject, handler as Handler, true),
    async request(subject, payload, options) {
      const octets = encode(payload);
      if (!client.connected) throw new BusUnavailable('not connected');
      return (await core.ask(client, subject, octets, options)) as never;
    },
    async bucket(name) {
      return core.store(name).face(client.reachable);
    },
    get connected() {
      return client.connected;
    },
    onConnection(handler) {
      client.listeners.add(handler);
      return { close: () => void client.listeners.delete(handler) };
    },
    async close() {
      client.connected = false;
      client.closed = true;
      for (const one of core.interests) if (one.client === client) core.interests.delete(one);
      for (const store of core.stores.values()) {
        for (const watcher of store.watchers)
          if (watcher.reachable === client.reachable) store.watchers.delete(watcher);
      }
    },
    cut: () => turn(false),
    heal: () => turn(true),
  };
}
