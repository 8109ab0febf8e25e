import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { type ConnectionOptions, connect, type NatsConnection } from '@nats-io/transport-node';
import { type Bucket, type Bus, BusUnavailable } from './bus.ts';
import { natsVersion } from './greeting.ts';
import type { BucketPorts } from './kv-names.ts';
import { natsMessages } from './messages.ts';
import { openBucket } from './nats-bucket.ts';
import { type BusObserver, silent } from './observer.ts';

export interface NatsOptions {
  /** `nats://host:port` or `tls://host:port`; a user and password in it are used if none are given. */
  readonly url: string;
  /** Shown in the server's connection list. */
  readonly name: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Files in PEM form. */
  readonly tls?:
    | { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string }
    | undefined;
  /** Of the buckets: 1 on one machine, 3 in a cluster. */
  readonly replicas?: number | undefined;
  /** For one storage operation. */
  readonly storageTimeoutMs?: number | undefined;
  readonly observer?: BusObserver | undefined;
  /** Gives up waiting for the first connection. */
  readonly signal?: AbortSignal | undefined;
}

const STORAGE_TIMEOUT_MS = 5000;
const FLUSH_MS = 1000;
const CONNECT_TIMEOUT_MS = 2000;
const RECONNECT_MS = 250;
const WAIT_CAP_MS = 5000;
/** That we still wait for the same reason is said this often. */
const REMIND_MS = 60_000;
/** A dead server that closes nothing is noticed after two of these. */
const PING_MS = 5000;

/** Connects, however long NATS is away, and says so. Once connected it reconnects by itself for ever. */
export async function connectNats(options: NatsOptions): Promise<Bus> {
  const observer = options.observer ?? silent;
  const connection = await firstConnection(options, observer);
  observer.log.info(
    { server: connection.getServer(), version: connection.info?.version },
    'connected to NATS',
  );
  return natsBus(connection, options, observer);
}

async function firstConnection(options: NatsOptions, observer: BusObserver): Promise<NatsConnection> {
  const settings = connectionOptions(options);
  const server = new URL(options.url).host;
  let said = { reason: '', at: 0 };
  for (let waitMs = RECONNECT_MS; ; waitMs = Math.min(WAIT_CAP_MS, waitMs * 2)) {
    try {
      // The client leaves a connection open when the server accepts it and says nothing.
      await natsVersion(options.url, CONNECT_TIMEOUT_MS);
      return await connect(settings);
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown';
      const now = performance.now();
      if (reason !== said.reason || now - said.at >= REMIND_MS) {
        observer.log.warn({ server, reason }, 'waiting for NATS');
        said = { reason, at: now };
      }
    }
    await pause(waitMs, options.signal);
  }
}

function connectionOptions(options: NatsOptions): ConnectionOptions {
  const url = new URL(options.url);
  const user = options.user ?? decodeURIComponent(url.username);
  const pass = options.password ?? decodeURIComponent(url.password);
  const secure = url.protocol === 'tls:' || options.tls !== undefined;
  return {
    servers: url.host,
    name: options.name,
    ...(user === '' ? {} : { user, pass }),
    ...(secure ? { tls: tlsOf(options.tls) } : {}),
    timeout: CONNECT_TIMEOUT_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    reconnectJitter: RECONNECT_MS,
    // A server that restarts may not know its users for a moment.
    ignoreAuthErrorAbort: true,
    pingInterval: PING_MS,
    maxPingOut: 2,
  };
}

function tlsOf(files: NatsOptions['tls']): { ca?: string; cert?: string; key?: string } {
  const { caFile, certFile, keyFile } = files ?? {};
  return {
    ...(caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') }),
    ...(certFile === undefined ? {} : { cert: readFileSync(certFile, 'utf8') }),
    ...(keyFile === undefined ? {} : { key: readFileSync(keyFile, 'utf8') }),
  };
}

async function natsBus(
  connection: NatsConnection,
  options: NatsOptions,
  observer: BusObserver,
): Promise<Bus> {
  const timeoutMs = options.storageTimeoutMs ?? STORAGE_TIMEOUT_MS;
  const listeners = new Set<(connected: boolean) => void>();
  let connected = true;
  const turn = (now: boolean) => {
    if (now === connected) return;
    connected = now;
    for (const listener of listeners) listener(now);
  };
  const isConnected = () => connected;
  void followStatus(connection, observer, turn);
  void connection.closed().then(() => turn(false));
  const ports: BucketPorts = {
    client: jetstream(connection, { timeout: timeoutMs }),
    manager: await jetstreamManager(connection, { timeout: timeoutMs, checkAPI: false }),
    isConnected,
    onReconnect(listener) {
      const onTurn = (now: boolean) => {
        if (now) listener();
      };
      listeners.add(onTurn);
      return () => void listeners.delete(onTurn);
    },
    observer,
    replicas: options.replicas ?? 1,
    timeoutMs,
  };
  const opened = new Map<string, Promise<Bucket>>();
  return {
    ...natsMessages(connection, isConnected, observer),
    bucket(name) {
      const present = opened.get(name) ?? openBucket(name, ports);
      opened.set(name, present);
      // A failure is not remembered: the next call tries again.
      present.catch(() => opened.delete(name));
      return present;
    },
    get connected() {
      return connected;
    },
    onConnection(handler) {
      listeners.add(handler);
      return { close: () => void listeners.delete(handler) };
    },
    async close() {
      listeners.clear();
      // What was just published (a farewell, say) still goes out, if there is anyone to take it.
      if (connected)
        await Promise.race([connection.flush(), delay(FLUSH_MS, undefined, { ref: false })]).catch(
          () => undefined,
        );
      connected = false;
      await connection.close();
    },
  };
}

async function followStatus(
  connection: NatsConnection,
  observer: BusObserver,
  turn: (connected: boolean) => void,
): Promise<void> {
  for await (const status of connection.status()) {
    switch (status.type) {
      case 'disconnect':
        observer.count('culvert.bus.disconnects');
        observer.log.warn({ server: status.server }, 'NATS connection lost, reconnecting');
        turn(false);
        break;
      case 'reconnect':
        observer.log.info({ server: status.server }, 'NATS connection is back');
        turn(true);
        break;
      case 'slowConsumer':
        observer.count('culvert.bus.slow-consumer');
        observer.log.warn({}, 'NATS messages pile up here');
        break;
      case 'error':
        observer.log.warn({ error: status.error }, 'NATS reports an error');
        break;
      default:
    }
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const gaveUp = () => {
      clearTimeout(timer);
      reject(new BusUnavailable('gave up waiting for NATS'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', gaveUp);
      resolve();
    }, ms);
    if (signal?.aborted === true) gaveUp();
    else signal?.addEventListener('abort', gaveUp, { once: true });
  });
}
