import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { be16, concat, hex, toHex } from '../octets.ts';
import { AVP_HEADER_OCTETS, type Avp, emitAvp } from './avp.ts';
import { AVPS, type AvpValues } from './avp-dictionary.ts';
import type { Hide, Reveal } from './hidden.ts';
import {
  AVPS_MAX,
  emitControlMessage,
  type Hiding,
  type MessageBody,
  parseControlMessage,
} from './message.ts';
import { MESSAGES, type MessageName, ruleOf } from './message-rules.ts';
import { ERRORS, explainResult } from './result-codes.ts';

const HEADER = { tunnelId: 1, sessionId: 2, ns: 3, nr: 4 };
const VERSION = { version: 1, revision: 0 };

/** A message from AVPs of any kind; the Message Type is put in front unless `type` is undefined. */
function message(type: number | undefined, ...avps: Partial<Avp>[]): Uint8Array {
  const first = type === undefined ? [] : [{ type: 0, value: be16(type) }];
  const parts = [...first, ...avps].map((given) => {
    const avp = { mandatory: true, hidden: false, vendorId: 0, type: 0, value: new Uint8Array(0), ...given };
    const octets = new Uint8Array(AVP_HEADER_OCTETS + avp.value.length).fill(0xa5);
    emitAvp(avp, octets, 0);
    return octets;
  });
  const body = concat(...parts);
  return concat(hex('c802'), be16(12 + body.length), hex('0001 0002 0003 0004'), body);
}

function bodyOf(octets: Uint8Array, reveal?: Reveal): MessageBody {
  const back = parseControlMessage(octets, reveal);
  if (!back.ok) throw new Error(back.reason);
  if (back.value.body === undefined) throw new Error('ZLB');
  return back.value.body;
}

/** One value for every AVP that a message may carry. */
const VALUES: Required<AvpValues> = {
  resultCode: { result: 2, error: 8, message: 'attribute 9' },
  protocolVersion: VERSION,
  framingCapabilities: 3,
  bearerCapabilities: 0,
  tieBreaker: hex('0102030405060708'),
  firmwareRevision: 0x0690,
  hostName: 'lac.example',
  vendorName: 'xelerance.com',
  assignedTunnelId: 0x1234,
  receiveWindowSize: 4,
  challenge: hex('00112233445566778899aabbccddeeff'),
  challengeResponse: hex('ffeeddccbbaa99887766554433221100'),
  q931CauseCode: { cause: 16, message: 0x45, advisory: 'bye' },
  assignedSessionId: 0x4321,
  callSerialNumber: 1,
  minimumBps: 9_600,
  maximumBps: 64_000,
  bearerType: 0,
  framingType: 1,
  calledNumber: '100',
  callingNumber: '200',
  subAddress: '3',
  txConnectSpeed: 10_000_000,
  physicalChannelId: 5,
  privateGroupId: hex('70'),
  rxConnectSpeed: 10_000_000,
  sequencingRequired: true,
  initialReceivedLcpConfreq: hex('01040578'),
  lastSentLcpConfreq: hex('01040578'),
  lastReceivedLcpConfreq: hex('01040578'),
  proxyAuthenType: 2,
  proxyAuthenName: hex('75'),
  proxyAuthenChallenge: hex('63'),
  proxyAuthenId: 7,
  proxyAuthenResponse: hex('72'),
  callErrors: {
    crcErrors: 1,
    framingErrors: 2,
    hardwareOverruns: 3,
    bufferOverruns: 4,
    timeoutErrors: 5,
    alignmentErrors: 6,
  },
  accm: { send: 0xffffffff, receive: 0 },
  pppDisconnectCauseCode: { code: 3, controlProtocol: 0, direction: 1, message: 'hung up' },
};

const valuesFor = (type: MessageName): AvpValues => {
  const { must, may } = ruleOf(type);
  return Object.fromEntries([...must, ...may].map((name) => [name, VALUES[name]]));
};
const ALL = Object.keys(MESSAGES) as MessageName[];

describe('control messages', () => {
  test('a ZLB has a header alone', () => {
    const zlb = emitControlMessage(HEADER);
    expect(toHex(zlb)).toBe('c802000c0001000200030004');
    expect(parseControlMessage(zlb)).toEqual({ ok: true, value: { header: HEADER } });
  });

  test.each(ALL)('%s with all it may carry: round trip, every prefix, junk behind', (type) => {
    const values = valuesFor(type);
    const octets = emitControlMessage(HEADER, { type, values });
    const back = parseControlMessage(concat(octets, hex('a5a5')));
    expect(back).toEqual({ ok: true, value: { header: HEADER, body: { type, values, ignored: [] } } });
    for (let length = 0; length < octets.length; length += 1) {
      expect(parseControlMessage(octets.subarray(0, length)).ok).toBe(false);
    }
  });

  test.each(ALL)('%s without one it must carry names it; without what it may, it is whole', (type) => {
    const values = valuesFor(type);
    const { must, may } = ruleOf(type);
    for (const name of must) {
      const { [name]: _left, ...rest } = values;
      const { fault } = bodyOf(emitControlMessage(HEADER, { type, values: rest }));
      expect(fault).toEqual({ error: ERRORS.badValue, text: `${type} without ${name}` });
    }
    for (const name of may) {
      const { [name]: _left, ...rest } = values;
      expect(bodyOf(emitControlMessage(HEADER, { type, values: rest })).fault).toBeUndefined();
    }
  });

  test.each(ALL)('%s with what it must not carry: as if it were not there', (type) => {
    const body = bodyOf(emitControlMessage(HEADER, { type, values: { ...VALUES, ...valuesFor(type) } }));
    expect(body.values).toEqual(valuesFor(type));
    expect(body.fault).toBeUndefined();
    const { must, may } = ruleOf(type);
    expect(body.ignored).toHaveLength(Object.keys(VALUES).length - must.length - may.length);
  });

  test('the first AVP is Message Type, or there is no message', () => {
    for (const octets of [
      message(undefined, { type: 7, value: hex('61') }),
      message(undefined, { type: 0, value: hex('0001'), hidden: true }),
      message(undefined, { type: 0, value: hex('01') }),
      message(undefined, { type: 0, value: hex('0001'), vendorId: 9 }),
      hex('c802 0010 0001 0002 0003 0004 80060000'),
    ]) {
      expect(parseControlMessage(octets).ok).toBe(false);
    }
  });

  test('§4.4.1: an unknown Message Type is fatal with M, else the message may be ignored', () => {
    expect(bodyOf(message(99)).fault?.error).toBe(ERRORS.badValue);
    const ignorable = bodyOf(message(undefined, { type: 0, mandatory: false, value: be16(99) }));
    expect([ignorable.type, ignorable.fault]).toEqual([undefined, undefined]);
  });

  test('§4.1: an unrecognised AVP is fatal with M (error 8, naming it), else ignored', () => {
    for (const avp of [{ type: 9999 }, { type: 20 }, { vendorId: 311, type: 7 }]) {
      const text = `unknown AVP vendor ${avp.vendorId ?? 0} attribute ${avp.type}`;
      expect(bodyOf(message(6, avp)).fault).toEqual({ error: ERRORS.unknownMandatoryAvp, text });
      const lenient = bodyOf(message(6, { ...avp, mandatory: false }));
      expect([lenient.fault, lenient.ignored]).toEqual([undefined, [text]]);
    }
  });

  test('§7.1: a malformed AVP is fatal with M, else ignored; the RFC’s own example', () => {
    const needed = [
      { type: 24, value: hex('00000001') },
      { type: 19, value: hex('00000001') },
    ];
    const body = bodyOf(message(12, ...needed, { type: 38, mandatory: false, value: hex('0001') }));
    expect([body.fault, body.ignored]).toEqual([undefined, ['rxConnectSpeed: bad-length']]);
    expect(bodyOf(message(12, ...needed, { type: 38, value: hex('0001') })).fault?.error).toBe(
      ERRORS.badLength,
    );
  });

  test('after a fault the identifiers are still read, for the answer', () => {
    const body = bodyOf(
      message(10, { type: 9999 }, { type: 14, value: be16(7) }, { type: 15, value: hex('00000001') }),
    );
    expect(body.fault?.error).toBe(ERRORS.unknownMandatoryAvp);
    expect(body.values.assignedSessionId).toBe(7);
  });

  test('lengths that lie: each walker stops, and says so', () => {
    for (const length of [0, 1, 2, 3, 4, 5, 9, 1023]) {
      const octets = message(6, { type: 8, mandatory: false, value: hex('6162') });
      octets[20] = length >> 8;
      octets[21] = length & 0xff;
      expect(bodyOf(octets).fault?.error).toBe(ERRORS.badLength);
    }
  });

  test('string AVPs of every length', () => {
    const needed = [
      { type: 14, value: be16(7) },
      { type: 15, value: hex('00000001') },
    ];
    for (let length = 0; length <= 1017; length += 1) {
      const value = new Uint8Array(length).fill(0xff);
      const body = bodyOf(message(10, ...needed, { type: 21, value }, { type: 22, value }));
      expect([body.fault, body.values.callingNumber?.length]).toEqual([undefined, length]);
    }
  });

  test('the first of two counts; more AVPs than any message has are a fault', () => {
    const twice = bodyOf(message(6, { type: 36, value: hex('01') }, { type: 36, value: hex('02') }));
    expect([twice.fault, twice.ignored]).toEqual([undefined, []]);
    const repeated = bodyOf(message(11, { type: 14, value: be16(7) }, { type: 14, value: be16(8) }));
    expect([repeated.values.assignedSessionId, repeated.ignored]).toEqual([
      7,
      ['repeated assignedSessionId'],
    ]);
    const many = Array.from({ length: AVPS_MAX }, () => ({ type: 9999, mandatory: false }));
    expect(bodyOf(message(6, ...many)).fault).toEqual({
      error: ERRORS.badLength,
      text: `more than ${AVPS_MAX} AVPs`,
    });
  });

  test('anything at all is parsed or refused, in bounded time', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(17), (noise, type) => {
        parseControlMessage(noise);
        parseControlMessage(concat(message(type), noise));
        const inside = concat(message(type), noise);
        inside.set(be16(inside.length), 2);
        parseControlMessage(inside);
      }),
      { numRuns: 2_000 },
    );
  });
});

/** RFC 2661 §4.3, written out once more for the test. */
const md5 = (...parts: Uint8Array[]) =>
  Uint8Array.from(
    createHash('md5')
      .update(concat(...parts))
      .digest(),
  );
function crypt(
  secret: Uint8Array,
  type: number,
  vector: Uint8Array,
  from: Uint8Array,
  reveal: boolean,
): Uint8Array {
  const into = new Uint8Array(from.length);
  for (let offset = 0; offset < from.length; offset += 16) {
    const before = (reveal ? from : into).subarray(offset - 16, offset);
    const pad = offset === 0 ? md5(be16(type), secret, vector) : md5(secret, before);
    for (let at = offset; at < Math.min(offset + 16, from.length); at += 1)
      into[at] = (from[at] ?? 0) ^ (pad[at - offset] ?? 0);
  }
  return into;
}
const hideWith =
  (secret: Uint8Array): Hide =>
  (type, vector, value) =>
    crypt(secret, type, vector, concat(be16(value.length), value), false);
const revealWith =
  (secret: Uint8Array): Reveal =>
  (type, vector, hidden) => {
    const plain = crypt(secret, type, vector, hidden, true);
    const length = ((plain[0] ?? 0) << 8) | (plain[1] ?? 0);
    return plain.length >= 2 && length <= plain.length - 2 ? plain.subarray(2, 2 + length) : undefined;
  };

describe('hidden AVPs, RFC 2661 §4.3', () => {
  const SECRET = hex('736563726574');
  const vector = hex('000102030405060708090a0b0c0d0e0f');
  const hiding: Hiding = { randomVector: vector, hide: hideWith(SECRET), which: () => true };

  test.each(ALL)('%s: all that may be hidden is, and comes back', (type) => {
    const values = valuesFor(type);
    const octets = emitControlMessage(HEADER, { type, values }, hiding);
    expect(bodyOf(octets, revealWith(SECRET))).toEqual({ type, values, ignored: [] });
    const { must, may } = ruleOf(type);
    const hidden = [...must, ...may].filter((name) => AVPS[name].mayBeHidden);
    // The Random Vector is there once if anything is hidden, and before it.
    expect(toHex(octets).split(toHex(vector)).length - 1).toBe(hidden.length > 0 ? 1 : 0);
  });

  test('without a secret, with another, or without a Random Vector before it, it is malformed', () => {
    const octets = emitControlMessage(HEADER, { type: 'ICRP', values: { assignedSessionId: 7 } }, hiding);
    expect(bodyOf(octets).fault?.text).toBe('hidden assignedSessionId cannot be revealed');
    expect(bodyOf(octets, revealWith(hex('00'))).fault).toBeDefined();
    const hidden = hiding.hide(14, vector, be16(7));
    const late = message(11, { type: 14, hidden: true, value: hidden }, { type: 36, value: vector });
    expect(bodyOf(late, revealWith(SECRET)).fault?.error).toBe(ERRORS.badValue);
    const early = message(11, { type: 36, value: vector }, { type: 14, hidden: true, value: hidden });
    expect(bodyOf(early, revealWith(SECRET)).values.assignedSessionId).toBe(7);
  });

  test('the nearest Random Vector before it counts', () => {
    const hidden = hiding.hide(14, vector, be16(7));
    const both = message(
      11,
      { type: 36, value: hex('ff') },
      { type: 36, value: vector },
      { type: 14, hidden: true, value: hidden },
    );
    expect(bodyOf(both, revealWith(SECRET)).values.assignedSessionId).toBe(7);
  });

  test('what must not be hidden is malformed when it is', () => {
    const octets = message(6, { type: 36, value: vector }, { type: 7, hidden: true, value: hex('0001') });
    expect(bodyOf(octets, revealWith(SECRET)).fault?.text).toBe('hostName must not be hidden');
  });

  // accel-ppp 9554ce0: the deciphered inner length was taken at its word.
  test('the length inside may not lie: 0, 1, all, one more, 0xFFFF; in one block and in several', () => {
    for (const space of [0, 1, 2, 14, 15, 30, 31, 200, 1_015]) {
      for (const length of [0, 1, space - 1, space, space + 1, 1_015, 0xfffe, 0xffff]) {
        if (length < 0) continue;
        const subformat = concat(be16(length), new Uint8Array(space).fill(0x61));
        const value = crypt(SECRET, 8, vector, subformat, false);
        const octets = message(
          6,
          { type: 36, value: vector },
          { type: 8, hidden: true, mandatory: false, value },
        );
        const { ignored, fault } = bodyOf(octets, revealWith(SECRET));
        const fits = length <= space;
        const said = fits ? 'vendorName does not belong in HELLO' : 'hidden vendorName cannot be revealed';
        expect([fault, ignored]).toEqual([undefined, [said]]);
      }
    }
  });

  test('hidden values shorter than a length field', () => {
    for (const value of [hex(''), hex('ff')]) {
      const octets = message(6, { type: 36, value: vector }, { type: 8, hidden: true, value });
      expect(bodyOf(octets, revealWith(SECRET)).fault?.error).toBe(ERRORS.badValue);
    }
  });
});

describe('result codes, RFC 2661 §4.4.2', () => {
  test('one phrase for the operator', () => {
    expect(explainResult('StopCCN', { result: 4 })).toBe('not authorized to establish a control channel');
    expect(explainResult('CDN', { result: 2, error: 8, message: 'attribute 9' })).toBe(
      'general error: unknown mandatory AVP (attribute 9)',
    );
    expect(explainResult('CDN', { result: 99, error: 77 })).toBe('result code 99: error code 77');
  });
});
