import { isDeepStrictEqual } from 'node:util';
import { type MalformedReason, type Parsed, toHex } from '@culvert/wire';
import type { Chance } from '../sim/chance.ts';
import { mutated } from './mutate.ts';
import { fuzz, roundsOf } from './run.ts';

/** One decoder under test. */
export interface Decoder<T> {
  readonly name: string;
  /** Valid samples. */
  readonly corpus: readonly Uint8Array[];
  parse(octets: Uint8Array): Parsed<T>;
  /** The value as octets, where there is a way back; undefined when this value has none. */
  emit?(value: T): Uint8Array | undefined;
  /** What the way back keeps; everything unless said. */
  kept?(value: T): unknown;
  /** Puts right what a mutation would always break, a checksum. */
  repair?(octets: Uint8Array): void;
  /** Octets in the value that are made, not read, so that they need not be views of the input. */
  readonly makes?: true;
}

const REASONS: ReadonlySet<MalformedReason> = new Set([
  'truncated',
  'bad-length',
  'trailing-octets',
  'bad-version',
  'bad-flags',
  'bad-value',
  'bad-checksum',
  'bad-padding',
  'too-many',
  'duplicate',
  'missing',
  'unexpected',
]);

/** One datagram at most; the machine may be busy, so a slow reading gets two more tries. */
const SLOW_MS = 40;
const MARGIN = 64;
const SHOWN_OCTETS = 600;

/** Mutates the samples and holds the decoder to what every decoder promises. */
export function fuzzDecoder<T>(decoder: Decoder<T>): void {
  for (const sample of decoder.corpus) {
    if (!decoder.parse(sample).ok) throw new Error(`${decoder.name}: sample ${toHex(sample)} is not valid`);
    checked(decoder, sample, 0xa5);
  }
  fuzz(decoder.name, roundsOf(), (chance) => round(decoder, chance));
}

function round<T>(decoder: Decoder<T>, chance: Chance): void {
  const input = mutated(chance, decoder.corpus).slice();
  if (chance.happens(0.7)) decoder.repair?.(input);
  try {
    const once = checked(decoder, input, 0xa5);
    const again = checked(decoder, input, 0x00);
    if (!isDeepStrictEqual(once, again)) throw new Error('the answer depends on octets outside the input');
    if (once.ok) wayBack(decoder, once.value);
  } catch (error) {
    throw new Error(`input ${toHex(input.subarray(0, SHOWN_OCTETS))} (${input.length} octets)`, {
      cause: error,
    });
  }
}

/** The input stands in the middle of a larger buffer, as a datagram does in a ring. */
function checked<T>(decoder: Decoder<T>, input: Uint8Array, around: number): Parsed<T> {
  const buffer = new Uint8Array(input.length + 2 * MARGIN).fill(around);
  buffer.set(input, MARGIN);
  const octets = buffer.subarray(MARGIN, MARGIN + input.length);
  const result = timed(() => decoder.parse(octets));
  const intact = buffer.every((octet, index) =>
    index < MARGIN || index >= MARGIN + input.length ? octet === around : octet === input[index - MARGIN],
  );
  if (!intact) throw new Error('the input was changed');
  if (!result.ok) {
    if (!REASONS.has(result.reason)) throw new Error(`unknown reason ${result.reason}`);
    const { offset } = result;
    if (!Number.isInteger(offset) || offset < 0 || offset > input.length)
      throw new Error(`${result.reason} at ${offset}, outside the input`);
  } else if (decoder.makes === undefined) viewsOnly(result.value, octets, 0);
  return result;
}

function timed<T>(work: () => T): T {
  for (let tries = 0; ; tries += 1) {
    const before = performance.now();
    const result = work();
    const took = performance.now() - before;
    if (took < SLOW_MS) return result;
    if (tries === 2) throw new Error(`took ${Math.round(took)} ms`);
  }
}

/** Every octet string in the value lies inside the input. */
function viewsOnly(value: unknown, input: Uint8Array, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > 12) throw new Error('the value is nested without end');
  if (value instanceof Uint8Array) {
    if (value.length === 0) return;
    const from = value.byteOffset - input.byteOffset;
    if (value.buffer !== input.buffer || from < 0 || from + value.length > input.length)
      throw new Error('a view leads outside the input');
    return;
  }
  for (const part of Object.values(value)) viewsOnly(part, input, depth + 1);
}

/** parse, emit, parse: the same again, and the second emission the same octets as the first. */
function wayBack<T>(decoder: Decoder<T>, value: T): void {
  const kept = decoder.kept ?? ((whole: T) => whole);
  const octets = decoder.emit?.(value);
  if (octets === undefined) return;
  const again = decoder.parse(octets);
  if (!again.ok)
    throw new Error(`its own emission is refused: ${again.reason} at ${again.offset}: ${toHex(octets)}`);
  if (!isDeepStrictEqual(plain(kept(again.value)), plain(kept(value))))
    throw new Error(`another value comes back from ${toHex(octets)}`);
  const twice = decoder.emit?.(again.value);
  if (twice === undefined || !isDeepStrictEqual(plain(twice), plain(octets)))
    throw new Error('the second emission differs from the first');
}

/** Equal octets in different buffers are equal. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
}
