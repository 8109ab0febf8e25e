import { parseMsChapV2Response } from '@culvert/wire/ppp';
import { expect, test } from 'vitest';

/** pppd 36733a8: the MS-CHAPv2 response was copied with one octet too many. RFC 2759 §4: exactly 49. */
test('only 49 octets are an MS-CHAPv2 response', () => {
  for (let length = 0; length <= 255; length += 1) {
    expect(parseMsChapV2Response(new Uint8Array(length)).ok).toBe(length === 49);
  }
});
