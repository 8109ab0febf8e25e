import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hex } from '../octets.ts';
import { AVP_HEADER_OCTETS, AVP_VALUE_OCTETS_MAX, type Avp, emitAvp, parseAvp, UNRECOGNISED } from './avp.ts';
import { AVPS, type AvpName, avpName } from './avp-dictionary.ts';
import { MESSAGES, type MessageRule, messageName } from './message-rules.ts';

const avp: fc.Arbitrary<Avp> = fc.record({
  mandatory: fc.boolean(),
  hidden: fc.boolean(),
  vendorId: fc.nat(0xffff),
  type: fc.nat(0xffff),
  value: fc.uint8Array({ maxLength: AVP_VALUE_OCTETS_MAX }),
});

describe('AVP, RFC 2661 §4.1', () => {
  test('round trip into a buffer full of junk, nothing written behind it', () => {
    fc.assert(
      fc.property(avp, fc.nat(9), (given, offset) => {
        const into = new Uint8Array(offset + AVP_HEADER_OCTETS + given.value.length + 3).fill(0xa5);
        const next = emitAvp(given, into, offset);
        expect(parseAvp(into, offset)).toEqual({ ok: true, value: { avp: given, next } });
        expect(into.subarray(next).every((octet) => octet === 0xa5)).toBe(true);
        expect(into.subarray(0, offset).every((octet) => octet === 0xa5)).toBe(true);
      }),
    );
  });

  // accel-ppp CVE-2020-15173: a string AVP whose length is below that of its header.
  test.each([0, 1, 2, 3, 4, 5])('Length %i is below the header: refused', (length) => {
    expect(parseAvp(hex(`800${length} 0000 0007 616263`), 0)).toEqual({
      ok: false,
      reason: 'bad-length',
      offset: 0,
    });
  });

  test('Length 6 is an absent value, 1023 the longest, and one octet beyond the packet refused', () => {
    const empty = parseAvp(hex('8006 0000 0027'), 0);
    expect(empty.ok && [empty.value.avp.value.length, empty.value.next]).toEqual([0, 6]);
    const longest = new Uint8Array(1023).fill(1);
    longest.set(hex('83ff 0000 0007'));
    const parsed = parseAvp(longest, 0);
    expect(parsed.ok && parsed.value.avp.value.length).toBe(AVP_VALUE_OCTETS_MAX);
    expect(parseAvp(longest.subarray(0, 1022), 0)).toEqual({ ok: false, reason: 'bad-length', offset: 0 });
  });

  test('every prefix is refused', () => {
    const whole = hex('8009 0000 0007 616263');
    for (let length = 0; length < whole.length; length += 1) {
      const back = parseAvp(whole.subarray(0, length), 0);
      expect(!back.ok && back.reason).toBe(length < 6 ? 'truncated' : 'bad-length');
    }
  });

  test('a reserved bit makes it unrecognised', () => {
    for (const bits of ['84', '88', '90', 'a0', 'bc']) {
      const back = parseAvp(hex(`${bits}08 0000 0002 0100`), 0);
      expect(back.ok && back.value.avp.type).toBe(UNRECOGNISED);
    }
  });
});

/** Values that a codec must give back as they are. */
const u16 = fc.nat(0xffff);
const id = fc.integer({ min: 1, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((value) => !value.startsWith('\ufeff'));
const text = fc.oneof(name, fc.constant(''));
const octets = fc.uint8Array({ minLength: 1, maxLength: 40 });
const VALUES: Record<AvpName, fc.Arbitrary<unknown>> = {
  messageType: u16,
  randomVector: octets,
  resultCode: fc.oneof(
    fc.record({ result: u16 }),
    fc.record({ result: u16, error: u16 }),
    fc.record({ result: u16, error: u16, message: name }),
  ),
  protocolVersion: fc.record({ version: fc.nat(255), revision: fc.nat(255) }),
  framingCapabilities: u32,
  bearerCapabilities: u32,
  tieBreaker: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  firmwareRevision: u16,
  hostName: name,
  vendorName: text,
  assignedTunnelId: id,
  receiveWindowSize: id,
  challenge: octets,
  challengeResponse: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  q931CauseCode: fc.record({ cause: u16, message: fc.nat(255), advisory: text }),
  assignedSessionId: id,
  callSerialNumber: u32,
  minimumBps: u32,
  maximumBps: u32,
  bearerType: u32,
  framingType: u32,
  calledNumber: text,
  callingNumber: text,
  subAddress: text,
  txConnectSpeed: u32,
  physicalChannelId: u32,
  privateGroupId: octets,
  rxConnectSpeed: u32,
  sequencingRequired: fc.constant(true),
  initialReceivedLcpConfreq: octets,
  lastSentLcpConfreq: octets,
  lastReceivedLcpConfreq: octets,
  proxyAuthenType: u16,
  proxyAuthenName: octets,
  proxyAuthenChallenge: octets,
  proxyAuthenId: fc.nat(255),
  proxyAuthenResponse: octets,
  callErrors: fc.record({
    crcErrors: u32,
    framingErrors: u32,
    hardwareOverruns: u32,
    bufferOverruns: u32,
    timeoutErrors: u32,
    alignmentErrors: u32,
  }),
  accm: fc.record({ send: u32, receive: u32 }),
  pppDisconnectCauseCode: fc.record({
    code: u16,
    controlProtocol: u16,
    direction: fc.nat(255),
    message: text,
  }),
};

interface AnyCodec {
  parse(octets: Uint8Array): { readonly ok: boolean; readonly value?: unknown };
  emit(value: unknown): Uint8Array;
}
const codecOf = (of: AvpName) => AVPS[of].codec as unknown as AnyCodec;

describe('AVP dictionary, RFC 2661 §4.4 and RFC 3145', () => {
  /** The Length (before hiding) that the RFC gives, less the six octets of header. */
  const FIXED: Partial<Record<AvpName, number>> = {
    messageType: 2,
    protocolVersion: 2,
    framingCapabilities: 4,
    bearerCapabilities: 4,
    tieBreaker: 8,
    firmwareRevision: 2,
    assignedTunnelId: 2,
    receiveWindowSize: 2,
    challengeResponse: 16,
    assignedSessionId: 2,
    callSerialNumber: 4,
    minimumBps: 4,
    maximumBps: 4,
    bearerType: 4,
    framingType: 4,
    txConnectSpeed: 4,
    rxConnectSpeed: 4,
    physicalChannelId: 4,
    sequencingRequired: 0,
    proxyAuthenType: 2,
    callErrors: 26,
    accm: 10,
  };

  for (const of of Object.keys(AVPS) as AvpName[]) {
    test(`${of}: round trip, every length, found by its type`, () => {
      expect(avpName(AVPS[of].type)).toBe(of);
      const codec = codecOf(of);
      fc.assert(
        fc.property(VALUES[of], (value) => {
          expect(codec.parse(codec.emit(value))).toEqual({ ok: true, value });
        }),
      );
      for (let length = 0; length <= AVP_VALUE_OCTETS_MAX; length += length < 40 ? 1 : 123) {
        const parsed = codec.parse(new Uint8Array(length).fill(1));
        const fixed = FIXED[of];
        if (fixed !== undefined) expect([of, length, parsed.ok]).toEqual([of, length, length === fixed]);
      }
    });
  }

  test('text that is not UTF-8 is shown with replacement characters', () => {
    expect(codecOf('callingNumber').parse(hex('31ff32'))).toEqual({ ok: true, value: '1\ufffd2' });
  });

  test('zero is no identifier and no window; a Proxy Authen ID has a zero in front', () => {
    for (const of of ['assignedTunnelId', 'assignedSessionId', 'receiveWindowSize'] as const) {
      expect(codecOf(of).parse(hex('0000')).ok).toBe(false);
    }
    expect(codecOf('proxyAuthenId').parse(hex('0100')).ok).toBe(false);
    expect(codecOf('resultCode').parse(hex('000200')).ok).toBe(false);
  });

  /** M and H as the RFC's text has them: M always 1 unless named here, H allowed unless named here. */
  test('which are mandatory, and which may be hidden', () => {
    const names = Object.keys(AVPS) as AvpName[];
    expect(
      names
        .filter((of) => !AVPS[of].mandatory)
        .map((of) => AVPS[of].type)
        .sort((a, b) => a - b),
    ).toEqual([5, 6, 8, 25, 26, 27, 28, 29, 30, 31, 32, 33, 37, 38, 46]);
    expect(
      names
        .filter((of) => !AVPS[of].mayBeHidden)
        .map((of) => AVPS[of].type)
        .sort((a, b) => a - b),
    ).toEqual([0, 1, 2, 5, 7, 10, 12, 36, 39]);
  });

  test('every attribute type 0 to 39 but 20 is there once', () => {
    const types = Object.values(AVPS)
      .map(({ type }) => type)
      .sort((a, b) => a - b);
    expect(types).toEqual([
      ...Array.from({ length: 40 }, (_, type) => type).filter((type) => type !== 20),
      46,
    ]);
  });
});

describe('message rules, RFC 2661 §6', () => {
  test('the fourteen control messages and their numbers (§3.2)', () => {
    expect(Object.entries(MESSAGES).map(([of, { type }]) => `${type} ${of}`)).toEqual([
      ...['1 SCCRQ', '2 SCCRP', '3 SCCCN', '4 StopCCN', '6 HELLO', '7 OCRQ', '8 OCRP', '9 OCCN'],
      ...['10 ICRQ', '11 ICRP', '12 ICCN', '14 CDN', '15 WEN', '16 SLI'],
    ]);
    for (const reserved of [0, 5, 13, 17]) expect(messageName(reserved)).toBeUndefined();
  });

  /** The messages that §4.4 names behind each AVP's title, against the lists of §6. */
  test('agree with the titles of §4.4', () => {
    const carriers = (of: string) =>
      Object.entries(MESSAGES as Record<string, MessageRule>)
        .filter(([, { must, may }]) => [...must, ...may].some((each) => each === of))
        .map(([message]) => message)
        .sort();
    const TITLES: Record<string, string> = {
      resultCode: 'CDN, StopCCN',
      protocolVersion: 'SCCRP, SCCRQ',
      framingCapabilities: 'SCCRP, SCCRQ',
      bearerCapabilities: 'SCCRP, SCCRQ',
      tieBreaker: 'SCCRQ',
      firmwareRevision: 'SCCRP, SCCRQ',
      hostName: 'SCCRP, SCCRQ',
      vendorName: 'SCCRP, SCCRQ',
      assignedTunnelId: 'SCCRP, SCCRQ, StopCCN',
      receiveWindowSize: 'SCCRP, SCCRQ',
      challenge: 'SCCRP, SCCRQ',
      challengeResponse: 'SCCCN, SCCRP',
      q931CauseCode: 'CDN',
      assignedSessionId: 'CDN, ICRP, ICRQ, OCRP, OCRQ',
      callSerialNumber: 'ICRQ, OCRQ',
      minimumBps: 'OCRQ',
      maximumBps: 'OCRQ',
      bearerType: 'ICRQ, OCRQ',
      framingType: 'ICCN, OCCN, OCRQ',
      calledNumber: 'ICRQ, OCRQ',
      callingNumber: 'ICRQ',
      subAddress: 'ICRQ, OCRQ',
      txConnectSpeed: 'ICCN, OCCN',
      rxConnectSpeed: 'ICCN, OCCN',
      physicalChannelId: 'ICRQ, OCRP',
      privateGroupId: 'ICCN',
      sequencingRequired: 'ICCN, OCCN',
      initialReceivedLcpConfreq: 'ICCN',
      proxyAuthenType: 'ICCN',
      proxyAuthenResponse: 'ICCN',
      callErrors: 'WEN',
      accm: 'SLI',
      pppDisconnectCauseCode: 'CDN',
    };
    for (const [of, messages] of Object.entries(TITLES))
      expect([of, carriers(of).join(', ')]).toEqual([of, messages]);
  });

  test('what a fault in them ends (§4.1)', () => {
    const tunnel = Object.entries(MESSAGES)
      .filter(([, { scope }]) => scope === 'tunnel')
      .map(([of]) => of);
    expect(tunnel).toEqual(['SCCRQ', 'SCCRP', 'SCCCN', 'StopCCN', 'HELLO']);
  });
});
