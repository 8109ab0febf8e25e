import { parseChapValue, parseControlPacket, parseEapBody } from '@culvert/wire/ppp';
import { expect, test } from 'vitest';

/** CVE-2020-8597: the bound check of an EAP-MD5 name compared the wrong sum. */
test('for every value length and every packet length, nothing beyond the packet is handed on', () => {
  for (let length = 0; length <= 40; length += 1) {
    for (let claimed = 0; claimed <= 255; claimed += 1) {
      const data = new Uint8Array(length).fill(0x61);
      if (length > 0) data[0] = claimed;
      const chap = parseChapValue(data);
      if (!chap.ok) continue;
      expect(claimed).toBeLessThanOrEqual(length - 1);
      expect(chap.value.value.length + chap.value.name.length).toBe(length - 1);
    }
  }
});

test('an EAP packet whose Length lies is refused before its type is looked at', () => {
  const packet = Uint8Array.of(1, 1, 0xff, 0xff, 4, 16, ...new Array<number>(16).fill(7));
  expect(parseControlPacket(packet).ok).toBe(false);
  const short = parseControlPacket(Uint8Array.of(1, 1, 0, 4, 4, 16));
  expect(short.ok && parseEapBody(short.value).ok).toBe(false);
});
