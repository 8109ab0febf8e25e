import { parseClearMessage } from '@culvert/wire/ike';
import { expect, test } from 'vitest';
import { firstMessage } from './ike-samples.ts';

/** CVE-2016-6415 (BENIGNCERTAIN) and CVE-2026-35328: lengths inside the SA payload that lie. */
test('every 16-bit field set to every telling value is read within bounds', () => {
  const whole = firstMessage.length;
  for (let at = 28; at + 1 < whole; at += 1) {
    for (const lie of [0, 1, 3, 4, 7, 8, 0x7fff, 0x8000, 0xfffe, 0xffff, whole, whole - at, whole - at + 1]) {
      const octets = firstMessage.slice();
      new DataView(octets.buffer).setUint16(at, lie);
      const message = parseClearMessage(octets);
      if (!message.ok) {
        expect(message.offset).toBeLessThanOrEqual(whole);
        continue;
      }
      expect(message.value.chain.end).toBe(whole);
      const bodies = message.value.chain.links.reduce((sum, link) => sum + 4 + link.body.length, 28);
      expect(bodies).toBe(whole);
    }
  }
});
