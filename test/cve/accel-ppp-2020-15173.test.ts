import {
  AVP_HEADER_OCTETS,
  emitAvp,
  emitControlHeader,
  parseAvp,
  parseControlMessage,
} from '@culvert/wire/l2tp';
import { describe, expect, test } from 'vitest';

/** accel-ppp: a string AVP whose Length is below the header's six octets overflowed the heap. */
describe('CVE-2020-15173', () => {
  test.each([0, 1, 2, 3, 4, 5, 6, 7, 1023])('Length %i of a Host Name AVP', (length) => {
    const octets = new Uint8Array(12 + 8 + 8).fill(0xa5);
    emitControlHeader({ tunnelId: 0, sessionId: 0, ns: 0, nr: 0 }, octets.length, octets);
    emitAvp({ mandatory: true, hidden: false, vendorId: 0, type: 0, value: Uint8Array.of(0, 1) }, octets, 12);
    emitAvp(
      { mandatory: true, hidden: false, vendorId: 0, type: 7, value: Uint8Array.of(65, 66) },
      octets,
      20,
    );
    octets[20] = 0x80 | (length >>> 8);
    octets[21] = length & 0xff;
    const one = parseAvp(octets, 20);
    if (length < AVP_HEADER_OCTETS || length > 8) expect(one.ok).toBe(false);
    const message = parseControlMessage(octets);
    // The header and Message Type are sound, so the message counts and its fault ends the tunnel.
    expect(message.ok).toBe(true);
    if (message.ok && length !== 8) expect(message.value.body?.fault).toBeDefined();
  });
});
