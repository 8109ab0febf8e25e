import { parseControlMessage, parseDataHeader } from '@culvert/wire/l2tp';
import { parseControlPacket, parseFrame } from '@culvert/wire/ppp';
import { expect, test } from 'vitest';

/** FreeBSD review D57383: a message shorter than its fixed header underflowed a length. */
test('every prefix of nothing much is refused or read whole', () => {
  for (let length = 0; length < 24; length += 1) {
    for (const fill of [0x00, 0x7f, 0x80, 0xc8, 0xff]) {
      const octets = new Uint8Array(length).fill(fill);
      if (length >= 2) octets[1] = 0x02;
      const control = parseControlMessage(octets);
      if (control.ok) expect(length).toBeGreaterThanOrEqual(12);
      const data = parseDataHeader(octets);
      if (data.ok) expect(data.value.payload.length).toBeLessThanOrEqual(length - 6);
      const packet = parseControlPacket(octets);
      if (packet.ok) expect(packet.value.data.length).toBeLessThanOrEqual(length - 4);
      const frame = parseFrame(octets);
      if (frame.ok) expect(frame.value.information.length).toBeLessThan(length);
    }
  }
});
