import { codes, parseMagicData, protocols } from '@culvert/wire/ppp';
import { describe, expect, test } from 'vitest';
import { frame, lcpOpened, link, sent, started } from '../exchange/ppp/by-hand.ts';

/** pppd 7060ac7, overflow: an LCP Echo whose payload was not of the size that we send ourselves. */
const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 255, 256, 1400, 1492, 1493, 1500];

describe.each(LENGTHS)('an Echo with %i octets', (length) => {
  test('a Request is answered in kind, or dropped', () => {
    started();
    lcpOpened();
    const body = frame(protocols.lcp, codes.echoRequest, 3, new Uint8Array(length).fill(0x77));
    if (length < 4) {
      expect(link.drop(body)).toBe('malformed');
      return;
    }
    const [reply] = sent(link.take(body), protocols.lcp);
    expect([reply?.code, reply?.identifier]).toEqual([codes.echoReply, 3]);
    const data = parseMagicData(reply?.data ?? new Uint8Array(0));
    expect(data.ok && data.value.magic).not.toBe(0x7777_7777);
    expect(data.ok && data.value.rest.length).toBe(Math.min(length - 4, 1400 - 8));
  });

  test('a Reply that nobody asked for says nothing', () => {
    started();
    lcpOpened();
    const body = frame(protocols.lcp, codes.echoReply, 200, new Uint8Array(length).fill(0x77));
    if (length < 4) expect(link.drop(body)).toBe('malformed');
    else expect(sent(link.take(body), protocols.lcp)).toEqual([]);
  });
});
