import { createDecipheriv, createHmac } from 'node:crypto';
import { concat, hex, toHex } from '@culvert/wire';
import { describe, expect, test } from 'vitest';
import {
  accepted,
  createIvSource,
  freshness,
  inferred,
  newWindow,
  openEsp,
  prepareEsp,
  type ReplayWindow,
  SUBSPACE,
  sealEsp,
} from './index.ts';

const ivs = createIvSource({ nodeId: 7, generation: 1, cbcKey: new Uint8Array(32).fill(9) });
const none = new Uint8Array(0);

describe('RFC 4303 appendix A2.2: the high half', () => {
  // A window of 64: Bl = Tl - 63.
  const cases: readonly (readonly [name: string, top: number, low: number, high: number])[] = [
    ['case A, the bottom', 5 * SUBSPACE + 1000, 937, 5],
    ['case A, below the bottom', 5 * SUBSPACE + 1000, 936, 6],
    ['case A, zero', 5 * SUBSPACE + 1000, 0, 6],
    ['case A, the top', 5 * SUBSPACE + 1000, 1000, 5],
    ['case A, ahead', 5 * SUBSPACE + 1000, 1001, 5],
    ['case A, far ahead', 5 * SUBSPACE + 1000, SUBSPACE - 1, 5],
    ['case A, the window begins with the subspace', 5 * SUBSPACE + 63, 0, 5],
    ['case A, and so it ends', 6 * SUBSPACE - 1, 0, 6],
    ['case A, at the end, the bottom', 6 * SUBSPACE - 1, SUBSPACE - 64, 5],
    ['case A, at the end, below', 6 * SUBSPACE - 1, SUBSPACE - 65, 6],
    ['case B, the bottom in the subspace before', 5 * SUBSPACE + 62, SUBSPACE - 1, 4],
    ['case B, below the bottom is ahead', 5 * SUBSPACE + 62, SUBSPACE - 2, 5],
    ['case B, the top', 5 * SUBSPACE + 62, 62, 5],
    ['case B, zero', 5 * SUBSPACE, 0, 5],
    ['case B, the last of the subspace before', 5 * SUBSPACE, SUBSPACE - 63, 4],
    ['case B, too old is taken for new', 5 * SUBSPACE, SUBSPACE - 64, 5],
    ['nothing came before the first subspace', 10, SUBSPACE - 1, 0],
    ['an SA that has seen nothing', 0, SUBSPACE - 1, 0],
  ];
  test.each(cases)('%s', (_, top, low, high) => {
    expect(inferred(newWindow(64, top), low)).toBe(high * SUBSPACE + low);
  });
});

/** Numerical Recipes' generator: the same numbers in every run. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / SUBSPACE) * below);
  };
}

/** The window as a set of whole numbers, which is what it stands for. */
function naive(size: number, start: number) {
  const seen = new Set<number>();
  let top = start;
  return {
    bottom: () => top - size + 1,
    top: () => top,
    judge(sequence: number) {
      if (sequence === 0) return 'replayed';
      if (sequence > top) return 'newest';
      if (sequence <= start || seen.has(sequence)) return 'replayed';
      return 'fresh';
    },
    take(sequence: number) {
      seen.add(sequence);
      top = Math.max(top, sequence);
      if (seen.size > 4 * size) for (const old of seen) if (old < top - size) seen.delete(old);
    },
  };
}

describe('the window over the end of a subspace', () => {
  test.each([64, 96, 1024])('of %i agrees with a set of numbers, 100,000 of them', (size) => {
    const below = numbersFrom(size);
    const start = SUBSPACE - 20_000;
    const model = naive(size, start);
    let window: ReplayWindow = newWindow(size, start);
    const judged = { newest: 0, fresh: 0, replayed: 0, beyond: 0 };
    for (let count = 0; count < 100_000; count += 1) {
      // Mostly about the top; now and then a jump ahead, as far as a subspace less the window.
      const jump = below(2_000) === 0 ? below(SUBSPACE - size) : below(3 * size) - 2 * size;
      const sequence = model.top() + jump;
      const guess = inferred(window, sequence % SUBSPACE);
      if (sequence < model.bottom()) {
        // Indistinguishable from one of the next subspace: the ICV will not hold for that.
        expect(guess).toBe(sequence + SUBSPACE);
        judged.beyond += 1;
        continue;
      }
      expect(guess).toBe(sequence);
      const expected = model.judge(sequence);
      expect(freshness(window, sequence)).toBe(expected);
      judged[expected] += 1;
      if (expected === 'replayed') continue;
      window = accepted(window, sequence);
      model.take(sequence);
      expect(window.top).toBe(model.top());
    }
    expect(model.top()).toBeGreaterThan(10 * SUBSPACE);
    for (const count of Object.values(judged)) expect(count).toBeGreaterThan(100);
  });
});

describe('what travels and what is authenticated', () => {
  const suites = [
    ['aes-gcm-16-256', 'none', 32, 0],
    ['aes-gcm-16-128', 'none', 16, 0],
    ['aes-cbc-128', 'hmac-sha1-96', 16, 20],
    ['aes-cbc-256', 'hmac-sha2-256-128', 32, 32],
    ['aes-cbc-192', 'hmac-sha2-384-192', 24, 48],
    ['3des-cbc', 'hmac-sha2-512-256', 24, 64],
  ] as const;
  const keysOf = (key: number, mac: number) => ({
    encryption: new Uint8Array(key).fill(1),
    integrity: new Uint8Array(mac).fill(2),
    salt: mac === 0 ? hex('cafebabe') : none,
  });

  test.each(suites)(
    '%s with %s crosses 2^32, in any order, and only with the right high half',
    (...suite) => {
      const [encryption, integrity, key, mac] = suite;
      const transform = prepareEsp(encryption, integrity, keysOf(key, mac), true);
      const sealed = (sequence: number) =>
        sealEsp(transform, { spi: 4096, sequence, nextHeader: 17, payload: hex('aabbcc') }, ivs);
      let window = newWindow(64, SUBSPACE - 10);
      for (const step of [-2, 1, -1, 0, 3, 2, SUBSPACE - 90, SUBSPACE - 100]) {
        const opened = openEsp(transform, window, sealed(SUBSPACE + step));
        expect(opened).toMatchObject({ ok: true, sequence: SUBSPACE + step });
        window = opened.window;
        expect(openEsp(transform, window, sealed(SUBSPACE + step))).toMatchObject({ fault: 'esp-replayed' });
      }
      // Its low half alone would be ahead of the window.
      const old = openEsp(transform, window, sealed(SUBSPACE + 100));
      expect(old).toMatchObject({ ok: false, fault: 'esp-icv' });
      expect(old.window).toBe(window);
      const without = prepareEsp(encryption, integrity, keysOf(key, mac));
      expect(openEsp(without, newWindow(), sealed(7))).toMatchObject({ fault: 'esp-icv' });
    },
  );

  test('RFC 4106 §5: AAD of twelve octets; the IV has the low half', () => {
    const transform = prepareEsp('aes-gcm-16-256', 'none', keysOf(32, 0), true);
    const sequence = 0x12345 * SUBSPACE + 0xfffffffe;
    const packet = sealEsp(
      transform,
      { spi: 0x01020304, sequence, nextHeader: 17, payload: hex('aabbcc') },
      ivs,
    );
    expect(toHex(packet.subarray(0, 16))).toBe('01020304fffffffe07000001fffffffe');
    const nonce = concat(hex('cafebabe'), packet.subarray(8, 16));
    const decipher = createDecipheriv('aes-256-gcm', keysOf(32, 0).encryption, nonce);
    decipher.setAAD(hex('01020304 00012345 fffffffe')).setAuthTag(packet.subarray(-16));
    const plain = concat(decipher.update(packet.subarray(16, -16)), decipher.final());
    expect(toHex(plain)).toBe('aabbcc0102030311');
  });

  test('RFC 4303 §2.8: the ICV covers the packet and then the high half', () => {
    const transform = prepareEsp('aes-cbc-256', 'hmac-sha2-256-128', keysOf(32, 32), true);
    const input = { spi: 4096, sequence: 3 * SUBSPACE + 9, nextHeader: 17, payload: none };
    const packet = sealEsp(transform, input, ivs);
    const mac = createHmac('sha256', keysOf(32, 32).integrity)
      .update(packet.subarray(0, -16))
      .update(hex('00000003'));
    expect(toHex(packet.subarray(-16))).toBe(mac.digest('hex').slice(0, 32));
  });
});
