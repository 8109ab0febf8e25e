import { be32 } from '@culvert/wire';
import { emitDelete, parseDelete } from '@culvert/wire/ike';
import { expect, test } from 'vitest';

/** CVE-2023-38712, the decoder's part: a Delete whose count, SPI size and length disagree. */
test('count times size must be what is there', () => {
  const sound = emitDelete({ kind: 'D', doi: 1, protocol: 3, spis: [be32(256), be32(257)] });
  expect(parseDelete(sound, 0).ok).toBe(true);
  for (const size of [0, 1, 2, 3, 5, 8, 255]) {
    const octets = sound.slice();
    octets[5] = size;
    expect(parseDelete(octets, 0).ok).toBe(false);
  }
  for (const count of [0, 1, 3, 255, 0xffff]) {
    const octets = sound.slice();
    new DataView(octets.buffer).setUint16(6, count);
    expect(parseDelete(octets, 0).ok).toBe(false);
  }
});
