/**
 * Fuzzes the native engine (libFuzzer, with the address and undefined behaviour sanitizers).
 *
 *   npm run fuzz:native -- [--seconds N] [TARGET...]   fuzz, a minute each unless told otherwise
 *   npm run fuzz:native -- --replay TARGET FILE...     run inputs once, with every frame of what breaks
 *   npm run fuzz:native -- --keep TARGET               put into the corpus what was found since, minimised
 *
 * What is found stays in build/fuzz; the corpus in the repository is where every run begins.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildFuzz, FUZZ_TARGETS, fuzzFolder } from '../build.ts';

export type Target = (typeof FUZZ_TARGETS)[number];

const INPUT_OCTETS_MAX = 3000;
/** A larger one in the repository costs more than it finds. */
const KEPT_OCTETS_MAX = 1000;
const ONE_INPUT_SECONDS = 30;

const corpusFile = (target: Target) => fileURLToPath(new URL(`./corpus/${target}.hex`, import.meta.url));

/** The inputs in the repository, one a line. */
export function corpusOf(target: Target): Uint8Array[] {
  const lines = readFileSync(corpusFile(target), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => Uint8Array.from(Buffer.from(line, 'hex')));
}

function folder(...names: readonly string[]): string {
  const path = join(fuzzFolder, ...names);
  mkdirSync(path, { recursive: true });
  return path;
}

function unpacked(target: Target): string {
  const path = join(fuzzFolder, 'seeds', target);
  rmSync(path, { recursive: true, force: true });
  for (const input of corpusOf(target)) {
    const name = createHash('sha1').update(input).digest('hex');
    writeFileSync(join(folder('seeds', target), name), input);
  }
  return folder('seeds', target);
}

export interface Run {
  readonly ok: boolean;
  /** What libFuzzer said. */
  readonly said: string;
  /** Inputs that broke something. */
  readonly broken: readonly string[];
}

function libFuzzer(target: Target, options: readonly string[], show: boolean): Run {
  const crashes = folder('crashes');
  const before = new Set(readdirSync(crashes));
  const { status, stderr } = spawnSync(
    join(fuzzFolder, target),
    [
      `-artifact_prefix=${crashes}/${target}-`,
      `-max_len=${INPUT_OCTETS_MAX}`,
      `-timeout=${ONE_INPUT_SECONDS}`,
      ...options,
    ],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'ignore', show ? 'inherit' : 'pipe'],
      env: { ...process.env, ASAN_OPTIONS: 'quarantine_size_mb=16', UBSAN_OPTIONS: 'print_stacktrace=1' },
    },
  );
  const broken = readdirSync(crashes)
    .filter((name) => !before.has(name))
    .map((name) => join(crashes, name));
  return { ok: status === 0, said: stderr ?? '', broken };
}

/** The corpus once, and then for so long what chance makes of it. */
export function fuzz(target: Target, seconds: number, show = false): Run {
  const time = seconds > 0 ? [`-max_total_time=${seconds}`, '-len_control=0'] : ['-runs=0'];
  return libFuzzer(target, [...time, folder('found', target), unpacked(target)], show);
}

/** How to see again what a run has found. */
export function explained(target: Target, { broken }: Run): string {
  const files = broken.map((file) => relative(process.cwd(), file));
  return [
    `${target}: ${broken.length === 0 ? 'failed' : `broken by ${files.join(' ')}`}`,
    ...files.map((file) => `  npm run fuzz:native -- --replay ${target} ${file}`),
  ].join('\n');
}

function keep(target: Target): void {
  const smallest = join(fuzzFolder, 'smallest');
  rmSync(smallest, { recursive: true, force: true });
  const into = folder('smallest');
  const run = libFuzzer(target, ['-merge=1', into, unpacked(target), folder('found', target)], true);
  if (!run.ok) throw new Error(explained(target, run));
  const inputs = readdirSync(into)
    .map((name) => readFileSync(join(into, name)))
    .filter((input) => input.length <= KEPT_OCTETS_MAX)
    .map((input) => input.toString('hex'));
  writeFileSync(corpusFile(target), `${inputs.sort().join('\n')}\n`);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '60' },
      replay: { type: 'string' },
      keep: { type: 'string' },
    },
  });
  const named = (name: string): Target => {
    const target = FUZZ_TARGETS.find((one) => one === name);
    if (target === undefined) throw new Error(`${name} is none of ${FUZZ_TARGETS.join(', ')}`);
    return target;
  };
  await buildFuzz();
  if (values.keep !== undefined) return keep(named(values.keep));
  if (values.replay !== undefined) {
    if (!libFuzzer(named(values.replay), positionals, true).ok) process.exitCode = 1;
    return;
  }
  for (const target of positionals.length > 0 ? positionals.map(named) : FUZZ_TARGETS) {
    const run = fuzz(target, Number(values.seconds), true);
    if (run.ok) continue;
    console.error(explained(target, run));
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
