/**
 * Two engines live through one history in lockstep. After every step all that left them must be equal: what
 * reached the sinks, the answer, the counters. A history that shows a difference is cut down to the steps
 * that it takes.
 */
import { createIvSource, type IvOptions } from '../../services/edge/esp/index.ts';
import type {
  EngineCounters,
  EngineOptions,
  EngineSink,
  SessionReport,
} from '../../services/edge/pipeline/index.ts';
import { type Dice, diceOf } from './dice.ts';
import { applied, type BatchEngine, ownPacket, type Step, shown } from './step.ts';
import type { History } from './world.ts';

export type EngineMaker = (options: EngineOptions) => BatchEngine;

export interface Pair {
  readonly reference: EngineMaker;
  readonly other: EngineMaker;
  /** Runs of outer packets go to the other engine's `outerBatch` at once. */
  readonly batched?: boolean;
  /** An engine that seals at the end of a call: only the order within each kind of output counts. */
  readonly orderWithinKinds?: boolean;
}

/** What left an engine during a step, in order. */
export type Output = readonly [kind: keyof EngineSink, ...what: unknown[]];

export interface Outcome {
  readonly answer: unknown;
  readonly outputs: readonly Output[];
}

export interface Difference {
  /** Index in the history's steps. */
  readonly step: number;
  readonly what: string;
  readonly reference: unknown;
  readonly other: unknown;
  /** The counters that differ by then: often they say why. */
  readonly counters?: string;
}

/** Sees what the reference did. */
export interface Watcher {
  step(step: Step, outcome: Outcome): void;
  end(counters: EngineCounters, reports: readonly SessionReport[]): void;
}

const BATCH_MAX = 64;

/** The same for both, so that they seal the same octets. */
export const IDENTITY: IvOptions = { nodeId: 1, generation: 7, cbcKey: new Uint8Array(32).fill(3) };

/** The first difference, if there is one. */
export function differenceIn(pair: Pair, history: History, ...watchers: Watcher[]): Difference | undefined {
  const reference = recording(pair.reference, history);
  const other = recording(pair.other, history);
  const dice = diceOf(history.seed ^ 0x5bd1e995);
  const { steps } = history;
  for (let index = 0; index < steps.length; ) {
    const count = pair.batched ? runLength(dice, steps, index) : 1;
    const run = steps.slice(index, index + count);
    const [first] = run;
    if (first === undefined) break;
    const expected = count > 1 ? oneByOne(reference, run, first.at) : tried(reference, first);
    const got = count > 1 ? allAtOnce(other, run, first.at) : tried(other, first);
    for (const watch of watchers) watched(watch, run, expected);
    const found =
      differs('what left', sorted(expected.outputs, pair), sorted(got.outputs, pair)) ??
      differs('answer', expected.answer, got.answer) ??
      differs('counters', reference.engine.counters(), other.engine.counters()) ??
      (expected.answer instanceof Error
        ? { what: 'fault', reference: expected.answer.stack, other: '' }
        : undefined);
    if (found !== undefined) {
      const counters = unequal(reference.engine.counters(), other.engine.counters());
      return { step: index + count - 1, ...found, counters };
    }
    index += count;
  }
  return lastLook(reference, other, history, watchers);
}

/** In a batch it is not known which packet did what: all of it counts for the first one. */
function watched(watch: Watcher, run: readonly Step[], outcome: Outcome): void {
  run.forEach((step, index) => {
    watch.step(step, index === 0 ? outcome : { answer: undefined, outputs: [] });
  });
}

/** At the end: the report of each session, whether it changed or not. */
function lastLook(
  reference: Recording,
  other: Recording,
  { steps }: History,
  watchers: readonly Watcher[],
): Difference | undefined {
  const sessions = new Set(
    steps.flatMap((step) => (step.kind === 'declare' ? [step.declaration.session] : [])),
  );
  const at = steps.at(-1)?.at ?? 0;
  const reports: SessionReport[] = [];
  for (const session of sessions) {
    const look = { kind: 'report', session, at } as const;
    const found = differs('report at the end', applied(reference.engine, look), applied(other.engine, look));
    if (found !== undefined) return { step: steps.length - 1, ...found };
    const report = reference.engine.report(session, at);
    if (report !== undefined) reports.push(report);
  }
  for (const watch of watchers) watch.end(reference.engine.counters(), reports);
  return undefined;
}

interface Recording {
  readonly engine: BatchEngine;
  take(): Output[];
}

function recording(make: EngineMaker, history: History): Recording {
  let outputs: Output[] = [];
  const note =
    (kind: keyof EngineSink) =>
    (...what: unknown[]) => {
      outputs.push([kind, ...what]);
    };
  const sink: EngineSink = {
    outer: note('outer'),
    inner: note('inner'),
    ike: note('ike'),
    l2tp: note('l2tp'),
    ppp: note('ppp'),
    // Why an entry was refused is for people; that it was counts.
    event: (event) => outputs.push(['event', event.type === 'entry-refused' ? { ...event, why: '' } : event]),
  };
  const { policy, replayWindow, past } = history;
  const engine = make({
    ivs: createIvSource(IDENTITY),
    sink,
    policy,
    past: new Map(past),
    ...(replayWindow && { replayWindow }),
  });
  return {
    engine,
    take() {
      const taken = outputs;
      outputs = [];
      return taken;
    },
  };
}

function tried({ engine, take }: Recording, step: Step): Outcome {
  try {
    return { answer: applied(engine, step), outputs: take() };
  } catch (error) {
    return { answer: error instanceof Error ? error : new Error(String(error)), outputs: take() };
  }
}

/** How many outer packets from here on go together; what is no outer packet goes alone. */
function runLength(dice: Dice, steps: readonly Step[], from: number): number {
  const wanted = dice.between(1, BATCH_MAX);
  let count = 0;
  while (count < wanted && steps[from + count]?.kind === 'outer') count += 1;
  return Math.max(1, count);
}

function oneByOne(recorded: Recording, run: readonly Step[], at: number): Outcome {
  const outcomes = run.map((step) => tried(recorded, { ...step, at }));
  const answer = outcomes.find((outcome) => outcome.answer !== undefined)?.answer;
  return { answer, outputs: outcomes.flatMap(({ outputs }) => outputs) };
}

function allAtOnce(recorded: Recording, run: readonly Step[], at: number): Outcome {
  const { engine, take } = recorded;
  if (engine.outerBatch === undefined) return oneByOne(recorded, run, at);
  const packets = run.flatMap((step) => (step.kind === 'outer' ? [ownPacket(step.packet)] : []));
  try {
    engine.outerBatch(packets, at);
    return { answer: undefined, outputs: take() };
  } catch (error) {
    return { answer: error instanceof Error ? error : new Error(String(error)), outputs: take() };
  }
}

function sorted(outputs: readonly Output[], { batched, orderWithinKinds }: Pair): readonly Output[] {
  return (batched || orderWithinKinds) && outputs.length > 1
    ? outputs.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    : outputs;
}

function differs(what: string, reference: unknown, other: unknown): Omit<Difference, 'step'> | undefined {
  return same(reference, other) ? undefined : { what, reference, other };
}

function unequal(reference: EngineCounters, other: EngineCounters): string {
  const flat = ({ drops, ...rest }: EngineCounters): Record<string, number> => ({ ...rest, ...drops });
  const [left, right] = [flat(reference), flat(other)];
  return Object.keys(left)
    .filter((name) => left[name] !== right[name])
    .map((name) => `${name}: ${left[name]} and ${right[name]}`)
    .join(', ');
}

/** Equal in all that can be seen; an absent property is one that is undefined. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  }
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => same(item, b[index]));
  }
  if (a instanceof Error || b instanceof Error) return a instanceof Error && b instanceof Error;
  const left = a as Readonly<Record<string, unknown>>;
  const right = b as Readonly<Record<string, unknown>>;
  for (const key in left) if (!same(left[key], right[key])) return false;
  for (const key in right) if (right[key] !== undefined && left[key] === undefined) return false;
  return true;
}

/** Leaves out steps, large pieces first, while a difference of that kind stays. */
export function shrunk(pair: Pair, history: History, found: Difference, runsMax = 600): History {
  let steps = history.steps.slice(0, found.step + 1);
  let runs = 0;
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = steps.length - size; from > -size && runs < runsMax; from -= size) {
      const fewer = steps.toSpliced(Math.max(0, from), size + Math.min(0, from));
      runs += 1;
      const still = differenceIn(pair, { ...history, steps: fewer });
      if (still?.what === found.what) steps = fewer.slice(0, still.step + 1);
    }
  }
  return { ...history, steps };
}

/** All that it takes to understand and to repeat a difference. */
export function explained(pair: Pair, history: History, found: Difference): string {
  const least = shrunk(pair, history, found);
  const now = differenceIn(pair, least) ?? found;
  return [
    `seed ${history.seed}, step ${found.step} of ${history.steps.length}: ${found.what}`,
    `  step      ${shown(history.steps[found.step])}`,
    `  reference ${shown(found.reference)}`,
    `  other     ${shown(found.other)}`,
    `with ${least.steps.length} steps (replay window ${least.replayWindow}, past ${shown(least.past)}):`,
    ...least.steps.map((step, index) => `  ${index}: ${shown(step)}`),
    `  differs in step ${now.step}: ${now.what}`,
    `  reference ${shown(now.reference)}`,
    `  other     ${shown(now.other)}`,
    `  counters  ${now.counters ?? ''}`,
  ].join('\n');
}
