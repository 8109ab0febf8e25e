import { AVP_VALUE_OCTETS_MAX, emitControlMessage, parseControlMessage } from '@culvert/wire/l2tp';
import { describe, expect, test } from 'vitest';

/** CVE-2004-0649, l2tpd: writing a control message ran over its buffer. */
describe('CVE-2004-0649', () => {
  const header = { tunnelId: 1, sessionId: 0, ns: 0, nr: 0 };
  const withText = (length: number) =>
    emitControlMessage(header, { type: 'SCCRQ', values: { hostName: 'x'.repeat(length) } });

  test('the largest value fits and comes back whole', () => {
    const message = parseControlMessage(withText(AVP_VALUE_OCTETS_MAX));
    expect(message.ok && message.value.body?.values.hostName?.length).toBe(AVP_VALUE_OCTETS_MAX);
  });

  test('one octet more is a fault of ours, thrown before anything is written', () => {
    expect(() => withText(AVP_VALUE_OCTETS_MAX + 1)).toThrow(RangeError);
  });
});
