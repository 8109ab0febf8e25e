import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bus, connectNats } from '@culvert/bus';
import { type Config, ConfigFaults, loadConfig } from '@culvert/config';
import type { ServiceName } from '@culvert/contracts';
import {
  bootKat,
  createSealer,
  loadOrCreateKeyFile,
  type Secret,
  shardKeyOf,
  systemEntropy,
} from '@culvert/crypto';
import { systemClock } from '@culvert/host';
import { createTelemetry, type Telemetry } from '@culvert/telemetry';
import { type AdminPorts, answerAdmin, type Memory } from './admin.ts';
import type { Runtime } from './runtime.ts';
import { type Stopping, stopping } from './stop.ts';

/** Each service of a machine serves its metrics beside the others, on the next port. */
const METRICS_PORT_OFFSET: Readonly<Record<ServiceName, number>> = {
  edge: 0,
  ike: 1,
  l2tp: 2,
  ppp: 3,
  aaa: 4,
};

/** sysexits.h: the configuration is wrong, and starting again does not help. */
const EX_CONFIG = 78;

/**
 * Makes the real runtime of a service from the process's environment: CULVERT_CONFIG is the path of the
 * configuration file, CULVERT_NATS_URL the server of the launcher (it wins over `nats.url`).
 */
export async function boot(service: ServiceName, env: NodeJS.ProcessEnv = process.env): Promise<Runtime> {
  const config = configOf(env);
  const version = versionOf();
  const telemetry = await createTelemetry(service, {
    node: config.node,
    version,
    logLevel: config.telemetry.logLevel,
    otlp: config.telemetry.otlp,
    prometheus: metricsAddress(config.telemetry.prometheus, METRICS_PORT_OFFSET[service]),
    sampling: config.telemetry.sampling,
  });
  fatal(telemetry);
  const stops = stopping(telemetry);
  const giveUp = new AbortController();
  onSignals(stops, giveUp, telemetry);
  try {
    await checkCrypto(telemetry);
    const clusterKey = await loadOrCreateKeyFile(join(config.stateDir, 'cluster.key'));
    const bus = await connect(service, config, env, telemetry, giveUp.signal);
    // Registered first, so closed last.
    stops.onStop(() => bus.close());
    const admin = adminPorts(service, config.node, version, bus, telemetry, stops);
    telemetry.log.info({ version, pid: process.pid }, `${service} starts`);
    return {
      service,
      node: config.node,
      config,
      bus,
      telemetry,
      clock: systemClock,
      entropy: systemEntropy,
      sealer: createSealer(clusterKey),
      shardKey: shardKeyOf(clusterKey),
      serveAdmin: (source) => answerAdmin(source, admin),
      onStop: stops.onStop,
    };
  } catch (error) {
    if (giveUp.signal.aborted) process.exit(0);
    telemetry.log.error({ error }, `${service} cannot start`);
    await telemetry.flush();
    process.exit(1);
  }
}

function configOf(env: NodeJS.ProcessEnv): Config {
  const path = env.CULVERT_CONFIG;
  try {
    if (path === undefined) throw new Error('CULVERT_CONFIG must name the configuration file');
    return loadConfig(path);
  } catch (error) {
    // There is no log yet: its level stands in the file that could not be read.
    const text = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${text}\n`);
    process.exit(error instanceof ConfigFaults ? EX_CONFIG : 1);
  }
}

async function connect(
  service: ServiceName,
  config: Config,
  env: NodeJS.ProcessEnv,
  telemetry: Telemetry,
  signal: AbortSignal,
): Promise<Bus> {
  const { nats } = config;
  const given = env.CULVERT_NATS_URL;
  const common = { name: `culvert-${service}@${config.node}`, observer: telemetry, signal };
  if (given !== undefined) return connectNats({ ...common, url: given });
  if (nats.embedded) throw new Error('CULVERT_NATS_URL is not set; the launcher sets it for its own server');
  const { caFile, certFile, keyFile } = nats;
  const tls = {
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  };
  return connectNats({
    ...common,
    url: nats.url,
    user: nats.user,
    password: textOf(nats.password),
    tls: Object.keys(tls).length === 0 ? undefined : tls,
  });
}

function textOf(secret: Secret | undefined): string | undefined {
  return secret === undefined ? undefined : new TextDecoder().decode(secret.expose());
}

/** The process goes on without an algorithm that gives wrong answers; what needs it is refused. */
async function checkCrypto(telemetry: Telemetry): Promise<void> {
  const { refused } = await bootKat();
  if (refused.length > 0)
    telemetry.log.error({ refused }, 'algorithms failed their known-answer test and are off');
}

function adminPorts(
  service: ServiceName,
  node: string,
  version: string,
  bus: Bus,
  telemetry: Telemetry,
  stops: Stopping,
): AdminPorts {
  return {
    service,
    node,
    version,
    startedAt: systemClock.now(),
    bus,
    telemetry,
    process: { pid: process.pid, memory },
    state: () => (stops.stopping ? 'draining' : 'serving'),
  };
}

/** Where the process was started with --expose-gc, as the benchmark does, garbage does not count. */
function memory(): Memory {
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { memoryBytes: rss, inUseBytes: heapUsed + external };
}

function onSignals(stops: Stopping, giveUp: AbortController, telemetry: Telemetry): void {
  const end = async (signal: NodeJS.Signals) => {
    if (stops.stopping) process.exit(1);
    telemetry.log.info({ signal }, 'stopping');
    giveUp.abort();
    await stops.stop();
    await telemetry.flush();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end(signal));
}

/** Nothing is known of the state after an exception that nobody caught: the launcher starts us again. */
function fatal(telemetry: Telemetry): void {
  const die = (error: unknown) => {
    telemetry.log.error({ error }, 'uncaught exception');
    const exit = () => process.exit(1);
    telemetry.flush().then(exit, exit);
    setTimeout(exit, 2000).unref();
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
}

/** `127.0.0.1:9464` or `[::1]:9464`, already checked by the schema. */
export function metricsAddress(
  text: string | undefined,
  offset: number,
): { readonly address: string; readonly port: number } | undefined {
  if (text === undefined) return undefined;
  const at = text.lastIndexOf(':');
  const address = text.slice(0, at).replace(/^\[|\]$/g, '');
  return { address, port: Number(text.slice(at + 1)) + offset };
}

function versionOf(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
