import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, hex } from '../octets.ts';
import type { Parsed } from '../parsed.ts';
import * as ppp from './index.ts';

const octets = (max: number, min = 0) => fc.uint8Array({ minLength: min, maxLength: max });
const text = (value: string) => new TextEncoder().encode(value);

function read<T>(result: Parsed<T>): T {
  if (!result.ok) throw new Error(`${result.reason} at ${result.offset}`);
  return result.value;
}

/** Emits into octets full of junk: what the emitter forgets to write stays 0xa5. */
function intoJunk(length: number, emit: (into: Uint8Array, offset: number) => number): Uint8Array {
  const into = new Uint8Array(length + 6).fill(0xa5);
  expect(emit(into, 3)).toBe(3 + length);
  expect([...into.subarray(0, 3), ...into.subarray(3 + length)]).toEqual([
    0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5,
  ]);
  return into.subarray(3, 3 + length);
}

describe('frame', () => {
  // RFC 1661 §2: the low octet is odd, the high one even.
  const protocol = fc
    .integer({ min: 0, max: 0x7fff })
    .map((n) => ((n & 0x7f80) << 1) | ((n & 0x7f) << 1) | 1)
    .filter((p) => ((p >> 8) & 1) === 0 && p !== 0xff);
  const agreed = fc.record({ pfc: fc.boolean(), acfc: fc.boolean() });

  test('round trip in every compression', () => {
    fc.assert(
      fc.property(protocol, octets(64), agreed, (number, information, compression) => {
        const frame = { protocol: number, information };
        const emitted = intoJunk(ppp.frameLength(frame, compression), (into, at) =>
          ppp.emitFrame(frame, into, at, compression),
        );
        expect(read(ppp.parseFrame(emitted))).toEqual(frame);
      }),
    );
  });

  test('RFC 1661 §6.5, §6.6: LCP is sent uncompressed whatever was agreed', () => {
    const frame = { protocol: ppp.protocols.lcp, information: hex('01010004') };
    const both = { pfc: true, acfc: true };
    expect(
      intoJunk(ppp.frameLength(frame, both), (into, at) => ppp.emitFrame(frame, into, at, both)),
    ).toEqual(hex('ff03c02101010004'));
  });

  test('one-octet protocol without address and control', () => {
    expect(read(ppp.parseFrame(hex('2145')))).toEqual({ protocol: 0x21, information: hex('45') });
    expect(read(ppp.parseFrame(hex('ff032145')))).toEqual({ protocol: 0x21, information: hex('45') });
    expect(read(ppp.parseFrame(hex('ff03002145')))).toEqual({ protocol: 0x21, information: hex('45') });
  });

  test.each(['', 'ff03', 'ff0300', '00'])('too short: "%s"', (digits) => {
    expect(ppp.parseFrame(hex(digits))).toMatchObject({ ok: false, reason: 'truncated' });
  });

  test('the form of the bus is the uncompressed form without address and control', () => {
    expect(ppp.bareFrame({ protocol: 0x57, information: hex('60') })).toEqual(hex('005760'));
  });
});

describe('control packet', () => {
  const packet = fc.record({
    code: fc.integer({ min: 0, max: 255 }),
    identifier: fc.integer({ min: 0, max: 255 }),
    data: octets(80),
  });

  test('round trip, with padding behind', () => {
    fc.assert(
      fc.property(packet, octets(8), (value, padding) => {
        const emitted = intoJunk(ppp.controlPacketLength(value), (into, at) =>
          ppp.emitControlPacket(value, into, at),
        );
        expect(ppp.controlPacketOctets(value)).toEqual(emitted);
        expect(read(ppp.parseControlPacket(concat(emitted, padding)))).toEqual(value);
      }),
    );
  });

  test('every proper prefix is refused', () => {
    const whole = ppp.controlPacketOctets({ code: 1, identifier: 7, data: hex('0304c023') });
    for (let length = 0; length < whole.length; length += 1) {
      expect(ppp.parseControlPacket(whole.subarray(0, length)).ok).toBe(false);
    }
  });

  test('every lie of Length', () => {
    fc.assert(
      fc.property(packet, fc.integer({ min: 0, max: 0xffff }), (value, lie) => {
        const whole = ppp.controlPacketOctets(value);
        whole.set([lie >> 8, lie & 0xff], 2);
        const result = ppp.parseControlPacket(whole);
        expect(result.ok).toBe(lie >= 4 && lie <= whole.length);
        if (result.ok) expect(result.value.data.length).toBe(lie - 4);
      }),
    );
  });

  test('rejects are cut to the peer MRU', () => {
    fc.assert(
      fc.property(octets(2000), fc.integer({ min: 0, max: 1500 }), (data, mru) => {
        const code = ppp.codeRejectData({ code: 99, identifier: 1, data }, mru);
        expect(code.length).toBe(Math.min(data.length + 4, Math.max(0, mru - 4)));
        const protocol = ppp.emitProtocolReject({ protocol: 0x80fd, information: data }, mru);
        expect(protocol.length).toBe(2 + Math.min(data.length, Math.max(0, mru - 6)));
        expect(read(ppp.parseProtocolReject(protocol)).protocol).toBe(0x80fd);
      }),
    );
    expect(ppp.parseProtocolReject(hex('80')).ok).toBe(false);
    expect(ppp.parseCodeReject(hex('')).ok).toBe(false);
    expect(read(ppp.parseCodeReject(hex('0a')))).toEqual({ code: 10 });
  });
});

describe('option list', () => {
  const option = fc.record({ type: fc.integer({ min: 0, max: 255 }), data: octets(253) });

  test('round trip', () => {
    fc.assert(
      fc.property(fc.array(option, { maxLength: ppp.OPTIONS_MAX }), (options) => {
        const length = options.reduce((sum, one) => sum + ppp.optionLength(one), 0);
        const emitted = intoJunk(length, (into, at) => ppp.emitOptions(options, into, at));
        expect(ppp.optionsOctets(options)).toEqual(emitted);
        expect(read(ppp.parseOptions(emitted))).toEqual(options);
      }),
    );
  });

  test('a prefix is refused unless it ends between options', () => {
    const whole = hex('0104 05dc  0506 01020304  0702  0802');
    const ends = new Set([0, 4, 10, 12, 14]);
    for (let length = 0; length <= whole.length; length += 1) {
      expect(ppp.parseOptions(whole.subarray(0, length)).ok).toBe(ends.has(length));
    }
  });

  test('every lie of an option Length ends the reading, never the process', () => {
    for (let lie = 0; lie < 256; lie += 1) {
      const result = ppp.parseOptions(concat(Uint8Array.of(3, lie), hex('c22381 0702')));
      // 2: three options would have to be read out of C2 23 81 07 02; 5 and 7 fit exactly.
      if (lie === 5 || lie === 7) expect(result.ok).toBe(true);
      if (lie < 2 || lie > 7) expect(result).toMatchObject({ ok: false, reason: 'bad-length' });
    }
  });

  test('a list beyond the limit is refused', () => {
    const many = new Uint8Array((ppp.OPTIONS_MAX + 1) * 2).map((_, index) => (index % 2 === 0 ? 9 : 2));
    expect(ppp.parseOptions(many)).toMatchObject({ ok: false, reason: 'too-many' });
    expect(ppp.parseOptions(many.subarray(2)).ok).toBe(true);
  });

  test('data that has no room is our fault', () => {
    expect(() => ppp.optionsOctets([{ type: 1, data: new Uint8Array(254) }])).toThrow(RangeError);
  });
});

describe('option values', () => {
  test('authentication protocols', () => {
    const wanted = [
      [{ protocol: 0xc023 }, '0304c023'],
      [{ protocol: 0xc223, algorithm: 5 }, '0305c22305'],
      [{ protocol: 0xc223, algorithm: 0x81 }, '0305c22381'],
      [{ protocol: 0xc227 }, '0304c227'],
    ] as const;
    for (const [value, digits] of wanted) {
      const option = ppp.authenticationProtocolOption(value);
      expect(ppp.optionsOctets([option])).toEqual(hex(digits));
      expect(read(ppp.parseAuthenticationProtocol(option.data))).toEqual(value);
    }
    for (const digits of ['', 'c2', 'c223', 'c2230581'])
      expect(ppp.parseAuthenticationProtocol(hex(digits)).ok).toBe(false);
  });

  test.each([
    ['MRU', ppp.parseMru, 2],
    ['Magic-Number', ppp.parseMagicNumber, 4],
    ['IP-Address', ppp.parseIpv4Option, 4],
    ['Interface-Identifier', ppp.parseInterfaceIdentifier, 8],
  ] as const)('%s has one length', (_name, parse, right) => {
    for (let length = 0; length < 20; length += 1)
      expect(parse(new Uint8Array(length)).ok).toBe(length === right);
  });

  test('emitted values are read again', () => {
    expect(read(ppp.parseMru(ppp.mruOption(1400).data))).toBe(1400);
    expect(read(ppp.parseMagicNumber(ppp.magicNumberOption(0xfedcba98).data))).toBe(0xfedcba98);
    expect(ppp.optionsOctets([ppp.accmOption(0)])).toEqual(hex('020600000000'));
    expect(ppp.optionsOctets([ppp.ipv4Option(3, hex('0a620001'))])).toEqual(hex('03060a620001'));
    expect(() => ppp.ipv4Option(3, hex('0a'))).toThrow(RangeError);
    expect(ppp.optionsOctets([ppp.interfaceIdentifierOption(hex('0200000000000001'))])).toEqual(
      hex('010a0200000000000001'),
    );
    expect(() => ppp.interfaceIdentifierOption(hex('01'))).toThrow(RangeError);
  });

  test('Echo data and Time-Remaining', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffffffff }),
        fc.integer({ min: 0, max: 0xffffffff }),
        octets(40),
        (magic, seconds, rest) => {
          expect(read(ppp.parseMagicData(ppp.emitMagicData({ magic, rest })))).toEqual({ magic, rest });
          const time = { magic, seconds, message: rest };
          expect(read(ppp.parseTimeRemaining(ppp.emitTimeRemaining(time)))).toEqual(time);
        },
      ),
    );
    for (let length = 0; length < 8; length += 1) {
      expect(ppp.parseMagicData(new Uint8Array(length)).ok).toBe(length >= 4);
      expect(ppp.parseTimeRemaining(new Uint8Array(length)).ok).toBe(false);
    }
  });

  test('what a CCP Configure-Request asked for', () => {
    // Windows: MPPC/MPPE with the encryption bits.
    expect(read(ppp.parseCcpWishes(hex('0104000a 1206010000e1')))).toEqual(['MPPC/MPPE']);
    expect(read(ppp.parseCcpWishes(hex('01040006 6302')))).toEqual(['type 99']);
    expect(ppp.parseCcpWishes(hex('01040006 12')).ok).toBe(false);
    expect(ppp.parseCcpWishes(hex('01040006 1201')).ok).toBe(false);
  });
});

describe('PAP', () => {
  test('round trip, and every prefix refused', () => {
    fc.assert(
      fc.property(octets(255), octets(255), (peerId, password) => {
        const emitted = ppp.emitAuthenticateRequest({ peerId, password });
        expect(read(ppp.parseAuthenticateRequest(emitted))).toEqual({ peerId, password });
        for (const length of [0, 1, peerId.length, peerId.length + 1, emitted.length - 1]) {
          expect(ppp.parseAuthenticateRequest(emitted.subarray(0, length)).ok).toBe(false);
        }
      }),
    );
  });

  test('messages, with and without Msg-Length', () => {
    expect(read(ppp.parsePapMessage(ppp.emitPapMessage(text('Welcome'))))).toEqual(text('Welcome'));
    expect(read(ppp.parsePapMessage(hex('')))).toEqual(hex(''));
    expect(ppp.parsePapMessage(hex('02 41')).ok).toBe(false);
    expect(() => ppp.emitPapMessage(new Uint8Array(256))).toThrow(RangeError);
  });
});

describe('CHAP', () => {
  test('round trip', () => {
    fc.assert(
      fc.property(octets(255, 1), octets(64), (value, name) => {
        expect(read(ppp.parseChapValue(ppp.emitChapValue({ value, name })))).toEqual({ value, name });
      }),
    );
  });

  // CVE-2020-8597: the name's bound was checked against the wrong sum.
  test('every Value-Size against every length', () => {
    for (let length = 0; length < 40; length += 1) {
      for (let size = 0; size < 256; size += 1) {
        const data = new Uint8Array(length);
        if (length > 0) data[0] = size;
        const result = ppp.parseChapValue(data);
        expect(result.ok).toBe(size > 0 && size < length);
        if (result.ok) expect(1 + result.value.value.length + result.value.name.length).toBe(length);
      }
    }
  });

  test('a value without octets is our fault', () => {
    expect(() => ppp.emitChapValue({ value: new Uint8Array(0), name: new Uint8Array(0) })).toThrow(
      RangeError,
    );
  });
});

describe('MS-CHAPv2', () => {
  test('Response: 49 octets and no other length', () => {
    fc.assert(
      fc.property(octets(16, 16), octets(24, 24), (peerChallenge, ntResponse) => {
        const emitted = ppp.emitMsChapV2Response({ peerChallenge, ntResponse });
        expect(read(ppp.parseMsChapV2Response(emitted))).toEqual({ peerChallenge, ntResponse });
      }),
    );
    for (let length = 0; length < 120; length += 1) {
      expect(ppp.parseMsChapV2Response(new Uint8Array(length)).ok).toBe(length === 49);
    }
  });

  test('RFC 2759 §6: Failure', () => {
    const failure = {
      error: 691,
      retry: false,
      challenge: hex('000102030405060708090a0b0c0d0eff'),
      version: 3,
      message: 'Access denied',
    };
    const emitted = ppp.emitMsChapFailure(failure);
    expect(new TextDecoder().decode(emitted)).toBe(
      'E=691 R=0 C=000102030405060708090A0B0C0D0EFF V=3 M=Access denied',
    );
    expect(read(ppp.parseMsChapFailure(emitted))).toEqual(failure);
    for (const bad of [
      '',
      'E=691',
      'E=691 R=2 C=00 V=3',
      'E=691 R=0 C=0001 V=3 M=',
      `E=691 R=0 C=${'0'.repeat(33)} V=3`,
    ]) {
      expect(ppp.parseMsChapFailure(text(bad)).ok).toBe(false);
    }
    expect(() => ppp.emitMsChapFailure({ ...failure, challenge: hex('00') })).toThrow(RangeError);
  });

  // CVE-2025-62291: the length of a Failure's text.
  test('texts of any length', () => {
    fc.assert(
      fc.property(
        octets(2000),
        (message) => void [ppp.parseMsChapFailure(message), ppp.parseMsChapSuccess(message)],
      ),
    );
    expect(ppp.parseMsChapFailure(new Uint8Array(65_535).fill(0x45))).toMatchObject({
      ok: false,
      reason: 'bad-length',
    });
  });

  test('RFC 2759 §5: Success', () => {
    const success = {
      authenticatorResponse: 'S=407A5589115FD0D6209F510FE9C04566932CDA56',
      message: 'Welcome',
    };
    expect(read(ppp.parseMsChapSuccess(ppp.emitMsChapSuccess(success)))).toEqual(success);
    expect(ppp.parseMsChapSuccess(text('S=407A')).ok).toBe(false);
  });
});

describe('EAP', () => {
  test('header and type', () => {
    const data = ppp.emitEapBody({ type: ppp.eapTypes.identity, typeData: text('alice') });
    const packet = read(ppp.parseControlPacket(ppp.controlPacketOctets({ code: 2, identifier: 9, data })));
    expect(read(ppp.parseEapBody(packet))).toEqual({ type: 1, typeData: text('alice') });
    expect(ppp.parseEapBody({ code: 1, identifier: 1, data: hex('') }).ok).toBe(false);
    expect(ppp.parseEapBody({ code: 3, identifier: 1, data: hex('') })).toEqual({
      ok: true,
      value: undefined,
    });
    expect(ppp.parseEapBody({ code: 3, identifier: 1, data: hex('00') }).ok).toBe(false);
    expect(ppp.parseEapBody({ code: 9, identifier: 1, data: hex('00') }).ok).toBe(false);
  });
});

test('no decoder throws on any octets', () => {
  const decoders: readonly ((data: Uint8Array) => unknown)[] = [
    ppp.parseFrame,
    ppp.parseControlPacket,
    ppp.parseOptions,
    ppp.parseCcpWishes,
    ppp.parseAuthenticateRequest,
    ppp.parsePapMessage,
    ppp.parseChapValue,
    ppp.parseMsChapV2Response,
    ppp.parseAuthenticationProtocol,
    ppp.parseMagicData,
    ppp.parseTimeRemaining,
    ppp.parseProtocolReject,
  ];
  fc.assert(fc.property(octets(120), (data) => decoders.forEach((decode) => void decode(data))));
});

test('protocols by name', () => {
  expect(ppp.protocolName(0x80fd)).toBe('CCP');
  expect(ppp.protocolName(0x0031)).toBe('0x0031');
});
