import { emitMsChapFailure, parseMsChapFailure } from '@culvert/wire/ppp';
import { expect, test } from 'vitest';

/** CVE-2025-62291: the text of an MS-CHAPv2 Failure overflowed the heap. Both directions, every length. */
test('a Failure text of any length', () => {
  for (const length of [0, 1, 3, 63, 64, 65, 511, 512, 65_535]) {
    const garbage = parseMsChapFailure(new Uint8Array(length).fill(0x45));
    expect(garbage.ok).toBe(false);
    const failure = {
      error: 691,
      retry: false,
      challenge: new Uint8Array(16),
      version: 3,
      message: 'x'.repeat(length),
    };
    const again = parseMsChapFailure(emitMsChapFailure(failure));
    if (again.ok) expect(again.value.message.length).toBeLessThanOrEqual(length);
  }
});
