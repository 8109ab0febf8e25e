import { hex } from '@culvert/wire';
import { expect, test } from 'vitest';
import { earlyFrames } from './early.ts';
import { EARLY_FRAMES_MAX, EARLY_MS } from './limits.ts';

const REQUEST = hex('c021 01010004');
const at = (now: () => number) => earlyFrames({ now, elapsed: now, after: () => () => {} });
const packet = (call: number, octets = REQUEST) => ({ session: '0040aaaabbbbcccc', call, octets });

test('the last Configure-Request of a call is handed out once', () => {
  const early = at(() => 0);
  expect(early.hold(packet(1))).toBe(true);
  const last = packet(1, hex('c021 01020004'));
  early.hold(last);
  expect(early.take('0040aaaabbbbcccc', 1)).toEqual(last);
  expect(early.take('0040aaaabbbbcccc', 1)).toBeUndefined();
});

test.each(['c021 02010004', '8021 01010004', 'c023 0101000400', 'c0', ''])('"%s" is not held', (octets) => {
  expect(at(() => 0).hold(packet(1, hex(octets)))).toBe(false);
});

test('an old frame is worth nothing, and a newer one makes it worthless', () => {
  let now = 0;
  const early = at(() => now);
  early.hold(packet(1));
  early.hold(packet(2));
  early.forget(packet(2));
  expect(early.take('0040aaaabbbbcccc', 2)).toBeUndefined();
  now = EARLY_MS + 1;
  expect(early.take('0040aaaabbbbcccc', 1)).toBeUndefined();
});

test('strangers cannot fill the memory: the oldest gives way', () => {
  const early = at(() => 0);
  for (let call = 0; call <= EARLY_FRAMES_MAX; call += 1) early.hold(packet(call));
  expect(early.take('0040aaaabbbbcccc', 0)).toBeUndefined();
  expect(early.take('0040aaaabbbbcccc', 1)).toBeDefined();
});
