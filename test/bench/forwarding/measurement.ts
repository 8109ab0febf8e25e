import { CONFIGURATIONS, type Configuration, type ConfigurationName } from './configurations.ts';
import { type Figures, type LoadName, measureLoad, type Observation, type Test } from './loads.ts';
import { quiet } from './meter.ts';
import type { Options } from './options.ts';
import type { Figure } from './rows.ts';
import type { Room, Tunnel } from './tunnel.ts';

const ATTEMPTS = 3;

/** What all runs found. */
export interface Measurements {
  /** One figure, in the order of runs; undefined where a test was left out. */
  series(figure: Figure): readonly (number | undefined)[];
  /** Every test that left figures, by tunnel and load. */
  tests(): readonly (readonly [ConfigurationName, LoadName, readonly string[]])[];
  /** Tests that others disturbed to the last attempt. */
  readonly disturbed: readonly string[];
  readonly failures: readonly string[];
  /** What tunnels said of themselves. */
  readonly about: ReadonlyMap<ConfigurationName, string>;
}

export type Progress = (line: string) => void;

interface Notes {
  readonly found: Map<string, (Figures | undefined)[]>;
  readonly disturbed: string[];
  readonly failures: string[];
  readonly about: Map<ConfigurationName, string>;
  capacityGbps: number;
}

/** All tunnels in turn in every run, so that what changes about the machine changes for all of them. */
export async function measureAll(
  room: Room,
  plan: ReadonlyMap<ConfigurationName, readonly LoadName[]>,
  options: Options,
  progress: Progress,
): Promise<Measurements> {
  const notes: Notes = { found: new Map(), disturbed: [], failures: [], about: new Map(), capacityGbps: 0 };
  for (let run = 0; run < options.runs; run += 1) {
    for (const configuration of CONFIGURATIONS) {
      const loads = plan.get(configuration.name) ?? [];
      if (loads.length > 0) await measureOne({ room, configuration, loads, run, options, notes, progress });
    }
  }
  return measurementsOf(notes, options.runs);
}

interface Turn {
  readonly room: Room;
  readonly configuration: Configuration;
  readonly loads: readonly LoadName[];
  readonly run: number;
  readonly options: Options;
  readonly notes: Notes;
  readonly progress: Progress;
}

async function measureOne(turn: Turn): Promise<void> {
  const { room, configuration, loads, run, options, notes, progress } = turn;
  const failed = (what: string, error: unknown): void => {
    const line = `run ${run + 1}, ${configuration.name}, ${what}: ${error instanceof Error ? error.message : error}`;
    notes.failures.push(line);
    progress(line);
  };
  let tunnel: Tunnel | undefined;
  try {
    await room.bed.superPackets(configuration.split !== true);
    tunnel = await configuration.open(room);
  } catch (error) {
    failed('opening', error);
    return;
  }
  if (tunnel.about !== undefined) notes.about.set(configuration.name, tunnel.about);
  for (const load of loads) {
    const { capacityGbps } = notes;
    const addresses = configuration.addresses ?? 1;
    const test: Test = { room, tunnel, seconds: options.seconds, addresses, capacityGbps };
    try {
      keep(turn, load, await undisturbed(test, load, options));
    } catch (error) {
      failed(load, error);
    }
  }
  await tunnel.close();
}

/** The first attempt during which nobody else used the machine, or else the last. */
async function undisturbed(test: Test, load: LoadName, options: Options): Promise<Observation> {
  let observation: Observation | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    await quiet(options.quietSeconds);
    observation = await measureLoad[load](test);
    if (observation.foreignCores <= options.foreignCoresMax) break;
  }
  if (observation === undefined) throw new Error('nothing was measured');
  return observation;
}

function keep(
  { configuration, run, options, notes, progress }: Turn,
  load: LoadName,
  found: Observation,
): void {
  const { figures, foreignCores } = found;
  const kept = foreignCores <= options.foreignCoresMax;
  const test = `${configuration.name} ${load}`;
  if (configuration.name === 'own' && load === 'tcp1') notes.capacityGbps = figures.gbps ?? 0;
  if (kept) {
    const series = notes.found.get(test) ?? [];
    series[run] = figures;
    notes.found.set(test, series);
  } else notes.disturbed.push(test);
  const said = Object.entries(figures).map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`);
  const foreign = `foreign ${foreignCores.toFixed(2)}${kept ? '' : ', left out'}`;
  progress(`run ${run + 1}, ${test}: ${said.join(', ')}, ${foreign}`);
}

function measurementsOf({ found, disturbed, failures, about }: Notes, runs: number): Measurements {
  return {
    series: ([configuration, load, name]) =>
      Array.from({ length: runs }, (_, run) => found.get(`${configuration} ${load}`)?.[run]?.[name]),
    tests: () =>
      [...found].map(([test, series]) => {
        const [configuration, load] = test.split(' ') as [ConfigurationName, LoadName];
        const names = new Set(series.flatMap((figures) => Object.keys(figures ?? {})));
        return [configuration, load, [...names]] as const;
      }),
    disturbed,
    failures,
    about,
  };
}
