import { NOTIFY, nameOf, parseClearMessage } from '@culvert/wire/ike';
import { describe, expect, test } from 'vitest';
import { firstMessage } from './ike-samples.ts';

/** CVE-2015-3204: unassigned DOI and situation bits overflowed a log line. */
describe('CVE-2015-3204', () => {
  test.each([0, 2, 3, 0x8000_0000, 0xffff_ffff])('DOI or situation %i', (value) => {
    for (const at of [32, 36]) {
      const octets = firstMessage.slice();
      new DataView(octets.buffer).setUint32(at, value);
      expect(parseClearMessage(octets)).toMatchObject({ ok: false, reason: 'bad-value' });
    }
  });

  test('a number without a name prints as a number', () => {
    for (const id of [0, 99, 40_961, 65_535]) expect(nameOf(NOTIFY, id)).toMatch(/^#\d+$/);
  });
});
