import { AVPS_MAX, emitAvp, emitControlHeader, parseAvp, parseControlMessage } from '@culvert/wire/l2tp';
import { expect, test } from 'vitest';

/** xl2tpd a1e9e82 and tcpdump (2003): an AVP Length of 0 stood still for ever. */
test('the AVP walk always advances or stops', () => {
  for (let length = 0; length < 1024; length += 1) {
    const octets = new Uint8Array(64);
    octets[0] = 0x80 | (length >>> 8);
    octets[1] = length & 0xff;
    const one = parseAvp(octets, 0);
    if (one.ok) expect(one.value.next).toBeGreaterThanOrEqual(6);
    else expect(length < 6 || length > 64).toBe(true);
  }
});

test('a message of nothing but empty AVPs ends at the limit', () => {
  const count = AVPS_MAX + 10;
  const octets = new Uint8Array(12 + 8 + count * 6);
  emitControlHeader({ tunnelId: 0, sessionId: 0, ns: 0, nr: 0 }, octets.length, octets);
  const type = { mandatory: true, hidden: false, vendorId: 0, type: 0, value: Uint8Array.of(0, 1) };
  let at = emitAvp(type, octets, 12);
  const empty = { mandatory: false, hidden: false, vendorId: 9, type: 1, value: new Uint8Array(0) };
  for (let index = 0; index < count; index += 1) at = emitAvp(empty, octets, at);
  const message = parseControlMessage(octets);
  expect(message.ok && message.value.body?.fault?.text).toContain('AVPs');
});
