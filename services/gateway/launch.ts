import { existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Bus, type BusObserver, connectNats } from '@culvert/bus';
import { type Config, loadConfig } from '@culvert/config';
import type { ServiceName } from '@culvert/contracts';
import { configFileFor, type FirstRun, makeFirstConfig } from './first-run.ts';
import { type NatsForServices, openNats } from './nats-choice.ts';
import { readRunState, removeRunState, startTicksOf, writeRunState } from './run-state.ts';
import { lastWords, type Says } from './says.ts';
import { awaitServing, START_ORDER, STOP_ORDER, serviceProgram } from './services.ts';
import { type Supervised, type SupervisorEvents, supervise } from './supervisor.ts';
import { serverAddresses, surroundings } from './surroundings.ts';
import { welcomeText } from './welcome.ts';

export interface LaunchOptions {
  /** Undefined: the system's file, or one that is made now. */
  readonly configFile?: string | undefined;
  readonly stateDir?: string | undefined;
  readonly says: Says;
  /** Asks the gateway to stop. */
  readonly stop: AbortSignal;
  /** Folder with `<service>/main.ts`. Default: this repository's services. */
  readonly serviceFolder?: string | undefined;
}

/** The gateway cannot run here; the message says why and what to do. */
export class LaunchFailed extends Error {
  override readonly name = 'LaunchFailed';
}

/** Services give themselves nine seconds. */
const GRACE_MS = 10_000;
const NATS_GRACE_MS = 5_000;
const SLOW_START_MS = 15_000;

/**
 * Runs the whole gateway on this machine until asked to stop: a configuration, a nats-server, five services,
 * a word when all of them serve.
 */
export async function launch(options: LaunchOptions): Promise<void> {
  const { says, stop } = options;
  const stateDir = options.stateDir === undefined ? undefined : resolve(options.stateDir);
  const configFile = resolve(configFileFor(options.configFile, stateDir));
  // Now, before the tun device brings one more.
  const addresses = serverAddresses();
  const made = firstRun(configFile, options.configFile !== undefined);
  if (stateDir !== undefined) process.env.CULVERT_STATE = stateDir;
  const config = loadConfig(configFile);
  claimState(config.stateDir);

  const failed = new AbortController();
  const running = AbortSignal.any([stop, failed.signal]);
  const phase: Phase = { served: false };
  const events = supervisorEvents(says, failed, phase);
  const nats = await openNats(config, events, says);
  const services = new Map<ServiceName, Supervised>();
  let bus: Bus | undefined;
  try {
    const trail = {
      version: 1,
      pid: process.pid,
      startTicks: startTicksOf(process.pid) ?? '',
      startedAt: Date.now(),
      configFile,
    } as const;
    writeRunState(config.stateDir, { ...trail, nats: nats.access });
    bus = await connectNats({
      ...nats.options,
      name: 'culvert up',
      signal: running,
      observer: observer(says),
    });
    const access = { ...nats.access, version: await nats.version() };
    writeRunState(config.stateDir, { ...trail, nats: access });
    const around = {
      configFile,
      stateDir: config.stateDir,
      natsUrl: nats.urlForServices,
      folder: options.serviceFolder,
    };
    for (const name of START_ORDER) {
      services.set(name, supervise(serviceProgram(name, around, says.service), events));
    }
    await serving(bus, services, running, says);
    phase.served = true;
    announce(config, configFile, access.version, made && { made, addresses }, says);
    await aborted(running);
  } catch (error) {
    if (!running.aborted) throw error;
  } finally {
    says.event({ event: 'stopping' });
    await stopAll(services, bus, nats);
    removeRunState(config.stateDir);
    says.event({ event: 'stopped' });
  }
  if (failed.signal.aborted) throw failed.signal.reason;
}

/** Waiting for NATS is worth a line; that it came is not. */
function observer(says: Says): BusObserver {
  const quiet = () => undefined;
  const line = (fields: { readonly reason?: unknown }, message: string) =>
    says.line(typeof fields.reason === 'string' ? `${message}: ${fields.reason}` : message);
  return { count: quiet, log: { debug: quiet, info: quiet, warn: line, error: line } };
}

function firstRun(configFile: string, named: boolean): FirstRun | undefined {
  return existsSync(configFile) || named ? undefined : makeFirstConfig(configFile, surroundings());
}

/** Two gateways on one state directory would write each other's NATS store. */
function claimState(stateDir: string): void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const other = readRunState(stateDir);
  if (other === undefined) return;
  throw new LaunchFailed(
    `a gateway already runs on ${stateDir} (process ${other.pid}): stop it, or choose another directory with --state`,
  );
}

interface Phase {
  served: boolean;
}

/** Before all have served once, a service that keeps ending ends the launch; afterwards it is retried for ever. */
function supervisorEvents(says: Says, failed: AbortController, phase: Phase): SupervisorEvents {
  return {
    started: (service, pid) => says.event({ event: 'started', service, pid }),
    ended(service, how, restartInMs) {
      says.line(`${service} ${how}, starting again in ${restartInMs / 1000} s`);
      says.event({ event: 'ended', service, how, restartInMs });
    },
    looping({ name, lastWords: lines }) {
      const said = lastWords(lines);
      const words = said.length === 0 ? 'It says nothing.' : `It says:\n  ${said.join('\n  ')}`;
      const text = `${name} keeps ending. ${words}\nculvert doctor tells what this machine lacks.`;
      if (phase.served) says.line(text);
      else failed.abort(new LaunchFailed(text));
    },
  };
}

async function serving(
  bus: Bus,
  services: ReadonlyMap<ServiceName, Supervised>,
  running: AbortSignal,
  says: Says,
): Promise<void> {
  const waiting = new Set<ServiceName>(services.keys());
  const slow = setInterval(() => says.line(`still waiting for ${[...waiting].join(', ')}`), SLOW_START_MS);
  try {
    await awaitServing(bus, START_ORDER, ({ service }) => waiting.delete(service), running);
  } finally {
    clearInterval(slow);
  }
}

function announce(
  config: Config,
  configFile: string,
  natsVersion: string,
  first: { readonly made: FirstRun; readonly addresses: readonly string[] } | undefined,
  says: Says,
): void {
  const listeners = config.listen.flatMap(({ addresses, ikePort, natTraversalPort }) =>
    addresses.map((address) => `${address} (UDP ${ikePort}, ${natTraversalPort})`),
  );
  says.line(`culvert is ready on ${listeners.join(', ')}; pool ${config.pool.ipv4}; NATS ${natsVersion}`);
  if (first !== undefined) {
    says.text(welcomeText(first.made, first.addresses));
    says.event({ event: 'created', ...first.made });
  }
  says.event({ event: 'ready', configFile, pid: process.pid, natsVersion });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((settle) => {
    if (signal.aborted) settle();
    else signal.addEventListener('abort', () => settle(), { once: true });
  });
}

async function stopAll(
  services: ReadonlyMap<ServiceName, Supervised>,
  bus: Bus | undefined,
  nats: NatsForServices,
): Promise<void> {
  for (const name of STOP_ORDER) await services.get(name)?.stop(GRACE_MS);
  await bus?.close();
  await nats.stop(NATS_GRACE_MS);
}
