import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { concat, hex, toHex } from '../octets.ts';
import { VENDOR_IDS, vendorId, vendorName } from './vendor-ids.ts';

describe('Vendor IDs', () => {
  for (const row of VENDOR_IDS) {
    const { name } = row;
    test(name, () => {
      if ('digestOf' in row && row.digestOf !== undefined) {
        expect(toHex(row.octets)).toBe(createHash('md5').update(row.digestOf).digest('hex'));
      }
      expect(vendorName(row.octets)).toBe(name);
      expect(vendorId(name)).toEqual(row.octets);
      expect(vendorName(concat(row.octets, hex('00000009')))).toBe(row.match === 'prefix' ? name : undefined);
    });
  }

  test('an unknown one has no name', () => {
    expect(vendorName(hex('00112233'))).toBeUndefined();
    expect(vendorName(new Uint8Array(1024))).toBeUndefined();
  });
});
