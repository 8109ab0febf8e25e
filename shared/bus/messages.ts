import { errors, headers, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { type Bus, BusUnavailable, type Message, type Subscription } from './bus.ts';
import { decode, encode } from './codec.ts';
import { failureOf } from './failures.ts';
import type { BusObserver } from './observer.ts';

/** W3C Trace Context. */
const TRACE = 'traceparent';
/** Set on an answer that stands for an exception in the responder: the asker need not wait it out. */
const FAULT = 'culvert-fault';
/** Responders of one subject share its requests. */
const QUEUE = 'culvert';

type Messages = Pick<Bus, 'publish' | 'subscribe' | 'request' | 'respond'>;

/** Core NATS: at most once, nothing is buffered while the connection is away. */
export function natsMessages(
  connection: NatsConnection,
  isConnected: () => boolean,
  observer: BusObserver,
): Messages {
  return {
    publish(subject, payload, options) {
      const octets = encode(payload);
      // The client would keep it and send a stale packet minutes later.
      if (!isConnected()) observer.count('culvert.bus.drops', { reason: 'not-connected' });
      else connection.publish(subject, octets, withTrace(options?.trace));
    },
    async request(subject, payload, options) {
      const octets = encode(payload);
      if (!isConnected()) throw new BusUnavailable(`${subject}: not connected`);
      const answer = await connection
        .request(subject, octets, { timeout: options.timeoutMs, ...withTrace(options.trace) })
        .catch((error: unknown) => {
          throw failureOf(error, subject);
        });
      if (answer.headers?.has(FAULT)) throw new BusUnavailable(`${subject}: the responder failed`, true);
      return decode(answer.data) as never;
    },
    subscribe: <T>(subject: string, handler: (message: Message<T>) => void) => {
      const take = (message: Message<T>) => handler(message);
      return listen(connection, subject, undefined, observer, (msg) => guarded(observer, msg, take));
    },
    respond: <T>(subject: string, handler: (message: Message<T>) => unknown) =>
      listen(connection, subject, QUEUE, observer, (msg) => void answer(observer, msg, handler)),
  };
}

function listen(
  connection: NatsConnection,
  subject: string,
  queue: string | undefined,
  observer: BusObserver,
  take: (msg: Msg) => void,
): Subscription {
  const subscription = connection.subscribe(subject, {
    ...(queue === undefined ? {} : { queue }),
    callback(error, msg) {
      if (error === null) take(msg);
      else observer.log.error({ subject, error }, 'a subscription was refused');
    },
  });
  return { close: () => subscription.unsubscribe() };
}

/** One message for a handler. What it throws is a fault of ours, and stays with this message. */
function guarded<T, R>(observer: BusObserver, msg: Msg, handler: (message: Message<T>) => R): R | undefined {
  let payload: T;
  try {
    payload = decode(msg.data) as T;
  } catch (error) {
    observer.count('culvert.bus.malformed');
    observer.log.warn({ subject: msg.subject, error }, 'a message is not in our form');
    return undefined;
  }
  const trace = msg.headers?.get(TRACE);
  try {
    return handler({ subject: msg.subject, payload, ...(trace ? { trace } : {}) });
  } catch (error) {
    handlerFailed(observer, msg.subject, error);
    return undefined;
  }
}

async function answer<T>(
  observer: BusObserver,
  msg: Msg,
  handler: (message: Message<T>) => unknown,
): Promise<void> {
  const work = guarded<T, Promise<unknown>>(observer, msg, async (message) => await handler(message));
  if (work === undefined) return;
  try {
    msg.respond(encode(await work));
  } catch (error) {
    handlerFailed(observer, msg.subject, error);
    const fault = headers();
    fault.set(FAULT, '1');
    if (!(error instanceof errors.ClosedConnectionError)) msg.respond(undefined, { headers: fault });
  }
}

function handlerFailed(observer: BusObserver, subject: string, error: unknown): void {
  observer.count('culvert.bus.handler.faults');
  observer.log.error({ subject, error }, 'a message handler failed');
}

function withTrace(trace: string | undefined): { headers?: MsgHdrs } {
  if (trace === undefined) return {};
  const map = headers();
  map.set(TRACE, trace);
  return { headers: map };
}
