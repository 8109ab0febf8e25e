import { parseClearMessage } from '@culvert/wire/ike';
import { expect, test } from 'vitest';
import { firstMessage } from './ike-samples.ts';

/** CVE-2013-4564: a datagram cut short was read to its announced end. */
test('every prefix of a valid message is refused', () => {
  expect(parseClearMessage(firstMessage).ok).toBe(true);
  for (let length = 0; length < firstMessage.length; length += 1) {
    expect(parseClearMessage(firstMessage.subarray(0, length)).ok).toBe(false);
  }
});

test('a message that says it is as short as it was cut is refused too', () => {
  for (let length = 28; length < firstMessage.length; length += 1) {
    const cut = firstMessage.slice(0, length);
    new DataView(cut.buffer).setUint32(24, length);
    const parsed = parseClearMessage(cut);
    // Only a cut between two payloads could pass, and then the chain announces one that is not there.
    expect(parsed.ok).toBe(false);
  }
});
