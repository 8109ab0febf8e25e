import { PAYLOAD, parseClearMessage } from '@culvert/wire/ike';
import { expect, test } from 'vitest';
import { firstMessage } from './ike-samples.ts';

/** CVE-2015-3991: IKEv2 payload types inside an IKEv1 message, and the other way round. */
test('a message of version 2 is not read as one of version 1', () => {
  const octets = firstMessage.slice();
  octets[17] = 0x20;
  expect(parseClearMessage(octets)).toMatchObject({ ok: false, reason: 'bad-version' });
});

test('no IKEv2 payload number means anything here', () => {
  const known = new Set<number>(Object.values(PAYLOAD));
  for (let type = 33; type <= 127; type += 1) {
    expect(known.has(type)).toBe(false);
    const octets = firstMessage.slice();
    octets[16] = type;
    expect(parseClearMessage(octets)).toMatchObject({ ok: false, reason: 'unexpected' });
  }
});
