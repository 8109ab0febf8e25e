import { checkPublicValue, DH_GROUPS, publicValueOctets, respondDh } from '@culvert/crypto';
import { describe, expect, test } from 'vitest';

/** CVE-2015-3240: g^x = 0. CVE-2023-41913: a public value longer than the group's. CVE-2014-9221: inner group numbers. */
describe.each(DH_GROUPS)('group %i', (group) => {
  const length = publicValueOctets(group);

  test.each([0, 1])('the value %i is refused', async (value) => {
    const y = new Uint8Array(length);
    y[length - 1] = value;
    expect((await respondDh(group, y)).ok).toBe(false);
  });

  test.each([0, 1, length - 1, length + 1, 64 * 1024])(
    '%i octets are refused before any arithmetic',
    (octets) => {
      if (octets !== length)
        expect(checkPublicValue(group, new Uint8Array(octets).fill(0x55))).toBe('bad-length');
    },
  );

  test('the largest number of the right length is refused', () => {
    expect(checkPublicValue(group, new Uint8Array(length).fill(0xff))).toBeDefined();
  });
});
