import { hex } from '@culvert/wire';
import { parseId } from '@culvert/wire/ike';
import { describe, expect, test } from 'vitest';

/** CVE-2013-5018, CVE-2013-6075, CVE-2025-9242: identities of any length, with NULs and no UTF-8. */
describe('identities', () => {
  test('every type and length is taken whole or refused', () => {
    for (let type = 0; type <= 255; type += 1) {
      for (const length of [0, 1, 3, 4, 5, 8, 15, 16, 17, 32, 33, 255, 512, 513, 65_531]) {
        const body = new Uint8Array(4 + length);
        body[0] = type;
        const id = parseId(body, 0);
        if (id.ok) expect(id.value.data.length).toBe(length);
        else expect(id.reason).toBe('bad-length');
      }
    }
  });

  test('an address identity has the length of its family', () => {
    expect(parseId(hex('01 11 06a5 c0000201'), 0).ok).toBe(true);
    expect(parseId(hex('01 11 06a5 c00002'), 0).ok).toBe(false);
    expect(parseId(hex('05 11 06a5 c0000201'), 0).ok).toBe(false);
  });

  test.each([0, 1, 2, 3])('a body of %i octets is truncated', (length) => {
    expect(parseId(new Uint8Array(length), 0)).toMatchObject({ ok: false, reason: 'truncated' });
  });
});
