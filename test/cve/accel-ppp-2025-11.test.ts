import { emitControlMessage, parseControlMessage } from '@culvert/wire/l2tp';
import { expect, test } from 'vitest';

/** accel-ppp pull request 269: Calling and Called Number overflowed a fixed buffer. */
test.each([0, 1, 63, 64, 65, 255, 256, 1016, 1017])('a Calling Number of %i octets, not UTF-8', (length) => {
  const header = { tunnelId: 5, sessionId: 0, ns: 2, nr: 1 };
  const octets = emitControlMessage(header, {
    type: 'ICRQ',
    values: { assignedSessionId: 7, callSerialNumber: 1, callingNumber: 'n'.repeat(length) },
  });
  octets.fill(0xff, octets.length - length);
  const message = parseControlMessage(octets);
  const number = message.ok ? message.value.body?.values.callingNumber : undefined;
  expect(number).toBe('\ufffd'.repeat(length));
});
