import { isDeepStrictEqual } from 'node:util';
import { decode, encode } from '@culvert/bus';
import { equal, toHex } from '@culvert/wire';
import { describe, expect, test } from 'vitest';
import type { Chance } from '../sim/chance.ts';
import { mutated } from './mutate.ts';
import { FUZZ_TIMEOUT_MS, fuzz, roundsOf } from './run.ts';

const SLOW_MS = 200;
const KEYS = ['type', 'session', 'octets', 'at', '', 'toString', 'constructor', 'payload'];

/** Plain data of any shape, as services send it. */
function anyValue(chance: Chance, depth = 0): unknown {
  switch (chance.below(depth > 4 ? 7 : 9)) {
    case 0:
      return null;
    case 1:
      return chance.happens(0.5);
    case 2:
      return chance.below(2 ** 32) - 2 ** 31;
    case 3:
      return (chance.next() - 0.5) * 2 ** chance.below(50);
    case 4:
      return Number.MAX_SAFE_INTEGER - chance.below(10);
    case 5:
      return new TextDecoder().decode(chance.octets(chance.below(40)));
    case 6:
      return chance.octets(chance.below(70));
    case 7:
      return Array.from({ length: chance.below(5) }, () => anyValue(chance, depth + 1));
    default:
      return Object.fromEntries(
        Array.from({ length: chance.below(5) }, () => [
          KEYS[chance.below(KEYS.length)] ?? '',
          anyValue(chance, depth + 1),
        ]),
      );
  }
}

function wayBack(chance: Chance): void {
  const value = anyValue(chance);
  const octets = encode(value);
  const again = decode(octets);
  if (!isDeepStrictEqual(again, value)) throw new Error(`${toHex(octets)} comes back as another value`);
}

const CORPUS = [
  encode({ id: 'a/b/1/0', session: '0123456789abcdef', request: { type: 'close', reason: 'shutdown' } }),
  encode([1, -1, 2 ** 40, 1.5, null, true, 'text', new Uint8Array(20)]),
  encode({ octets: new Uint8Array(300), flow: { remote: { address: '192.0.2.1', port: 500 } } }),
  encode({ deep: { deep: { deep: [[[]]] } } }),
];

/** Either plain data comes out, which can be encoded again, or an error; never a crash, never for long. */
function garbage(chance: Chance): void {
  const octets = mutated(chance, CORPUS);
  const before = performance.now();
  let value: unknown;
  try {
    value = decode(octets);
  } catch (error) {
    if (!(error instanceof Error)) throw new Error('something else than an Error was thrown');
    return;
  } finally {
    const took = performance.now() - before;
    // biome-ignore lint/correctness/noUnsafeFinally: a slow answer is a fault whatever the answer was
    if (took > SLOW_MS) throw new Error(`${toHex(octets.subarray(0, 200))} took ${Math.round(took)} ms`);
  }
  // Octets are compared, for minus zero comes back as zero.
  const written = encode(value);
  if (!equal(encode(decode(written)), written)) throw new Error(`${toHex(octets)} does not come back`);
}

describe('bus codec', () => {
  test('plain data comes back as it went', { timeout: FUZZ_TIMEOUT_MS }, () => {
    fuzz('codec, way back', roundsOf(), wayBack);
  });

  test('octets of any kind', { timeout: FUZZ_TIMEOUT_MS }, () => fuzz('codec, garbage', roundsOf(), garbage));

  test('a key named __proto__ gives no prototype', () => {
    const octets = encode({ x__proto__: { polluted: true } });
    const at = octets.findIndex((octet, index) => octet === 0x78 && octets[index + 1] === 0x5f);
    octets[at - 1] = 0xa9;
    const forged = Uint8Array.from([...octets.subarray(0, at), ...octets.subarray(at + 1)]);
    let value: unknown;
    try {
      value = decode(forged);
    } catch {
      value = {};
    }
    expect((value as { polluted?: boolean }).polluted).toBeUndefined();
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
