import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hex, toHex } from '../octets.ts';
import {
  CONTROL_HEADER_OCTETS,
  emitControlHeader,
  emitData,
  isControl,
  parseControlHeader,
  parseDataHeader,
} from './header.ts';

const u16 = fc.nat(0xffff);
const octets = (maxLength: number) => fc.uint8Array({ maxLength });

describe('control header, RFC 2661 §3.1', () => {
  const header = fc.record({ tunnelId: u16, sessionId: u16, ns: u16, nr: u16 });

  test('octet by octet', () => {
    const into = new Uint8Array(14).fill(0xa5);
    const next = emitControlHeader({ tunnelId: 0x0102, sessionId: 0x0304, ns: 5, nr: 6 }, 14, into);
    expect([next, toHex(into)]).toEqual([12, 'c802000e0102030400050006a5a5']);
  });

  test('round trip, whatever stood in the buffer, with octets behind the message', () => {
    fc.assert(
      fc.property(header, octets(40), octets(5), (given, avps, behind) => {
        const message = new Uint8Array(CONTROL_HEADER_OCTETS + avps.length + behind.length).fill(0xa5);
        emitControlHeader(given, CONTROL_HEADER_OCTETS + avps.length, message);
        message.set(avps, CONTROL_HEADER_OCTETS);
        const back = parseControlHeader(message);
        expect(back).toEqual({ ok: true, value: { header: given, avps } });
        expect(isControl(message)).toBe(true);
      }),
    );
  });

  test('every prefix is refused', () => {
    const whole = hex('c802 0014 0001 0002 0003 0004 8008 0000 0000 0006');
    for (let length = 0; length < whole.length; length += 1) {
      const back = parseControlHeader(whole.subarray(0, length));
      expect([back.ok, !back.ok && back.reason]).toEqual([false, length < 12 ? 'truncated' : 'bad-length']);
    }
  });

  test('the Length field may not lie', () => {
    for (let length = 0; length <= 0xffff; length += length < 40 ? 1 : 911) {
      const message = hex('c802 0000 0001 0002 0003 0004 8008 0000 0000 0006');
      message[2] = length >> 8;
      message[3] = length & 0xff;
      expect(parseControlHeader(message).ok).toBe(length >= 12 && length <= 20);
    }
  });

  test.each([
    ['8802', 'bad-flags', 'without L'],
    ['c002', 'bad-flags', 'without S'],
    ['ca02', 'bad-flags', 'with O'],
    ['c902', 'bad-flags', 'with P'],
    ['4802', 'bad-flags', 'a data message'],
    ['c801', 'bad-version', 'L2F'],
    ['c803', 'bad-version', 'L2TPv3'],
  ])('%s: %s, %s', (flags, reason) => {
    expect(parseControlHeader(hex(`${flags} 000c 0001 0002 0003 0004`))).toMatchObject({ ok: false, reason });
  });

  test('reserved bits are ignored', () => {
    expect(parseControlHeader(hex('fcf2 000c 0001 0002 0003 0004')).ok).toBe(true);
  });
});

describe('data header, RFC 2661 §3.1', () => {
  const header = fc.oneof(
    fc.record({ tunnelId: u16, sessionId: u16, priority: fc.boolean() }),
    fc.record({ tunnelId: u16, sessionId: u16, priority: fc.boolean(), ns: u16 }),
  );

  test('round trip', () => {
    fc.assert(
      fc.property(header, octets(60), (given, payload) => {
        const message = emitData(given, payload);
        expect(parseDataHeader(message)).toEqual({ ok: true, value: { header: given, payload } });
        expect(isControl(message)).toBe(false);
      }),
    );
  });

  test('every combination of L, S and O', () => {
    const variants: Record<string, string> = {
      '0002 0007 0008': 'no option',
      '4002 000a 0007 0008': 'L',
      '0802 0007 0008 0009 0000': 'S',
      '0202 0007 0008 0003 aaaaaa': 'O with padding',
      '4a02 0013 0007 0008 0009 0000 0003 aaaaaa': 'L, S and O',
    };
    for (const [start, name] of Object.entries(variants)) {
      const back = parseDataHeader(hex(`${start} c021`));
      expect([name, back.ok && toHex(back.value.payload), back.ok && back.value.header.tunnelId]).toEqual([
        name,
        'c021',
        7,
      ]);
    }
  });

  test('every prefix and every lie about Length and Offset is refused or stays inside', () => {
    const whole = hex('4a02 0013 0007 0008 0009 0000 0003 aaaaaa c021');
    for (let length = 0; length < whole.length; length += 1)
      expect(parseDataHeader(whole.subarray(0, length)).ok).toBe(false);
    fc.assert(
      fc.property(u16, u16, (length, offset) => {
        const message = Uint8Array.from(whole);
        message.set([length >> 8, length & 0xff], 2);
        message.set([offset >> 8, offset & 0xff], 12);
        const back = parseDataHeader(message);
        expect(back.ok).toBe(length >= 14 && length <= 19 && 14 + offset <= length);
      }),
    );
  });

  test('anything at all is parsed or refused, never thrown on', () => {
    fc.assert(
      fc.property(octets(40), (message) => {
        for (const parse of [parseDataHeader, parseControlHeader, isControl]) parse(message);
      }),
    );
  });
});
