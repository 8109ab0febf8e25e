import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Attribute, attributeNumber, numberAttribute } from './attribute.ts';
import { parseChain } from './chain.ts';
import { emitIsakmpHeader, ISAKMP_HEADER_OCTETS, parseIsakmpHeader } from './header.ts';
import { ISAKMP_LIMITS } from './limits.ts';
import { emitClearMessage, parseClearMessage, parseOpenedMessage } from './message.ts';
import type { Payload } from './payload.ts';
import type { Proposal } from './payloads/proposal.ts';
import { EXCHANGE, PAYLOAD } from './registry-isakmp.ts';
import { ID_TYPE } from './registry-phase-2.ts';

const octets = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((array) => Uint8Array.from(array));
const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });

const attribute: fc.Arbitrary<Attribute> = fc.oneof(
  fc.record({ type: fc.integer({ min: 0, max: 0x7fff }), form: fc.constant('TV' as const), value: u16 }),
  fc.record({
    type: fc.integer({ min: 0, max: 0x7fff }),
    form: fc.constant('TLV' as const),
    octets: octets(0, 12),
  }),
);
const transform = fc.record({ number: u8, id: u8, attributes: fc.array(attribute, { maxLength: 6 }) });
const proposal: fc.Arbitrary<Proposal> = fc.record({
  number: u8,
  protocol: u8,
  spi: octets(0, 16),
  transforms: fc.array(transform, { maxLength: 4 }),
});
const numbers = fc.constantFrom('rfc3947' as const, 'draft' as const);
const spis = fc
  .tuple(fc.constantFrom(4, 16), fc.integer({ min: 0, max: 4 }))
  .chain(([size, count]) => fc.array(octets(size, size), { minLength: count, maxLength: count }));

const payload: fc.Arbitrary<Payload> = fc.oneof(
  fc.record({
    kind: fc.constant('SA' as const),
    proposals: fc.array(proposal, { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ kind: fc.constantFrom('KE' as const, 'VID' as const, 'SIG' as const), data: octets(1, 200) }),
  fc.record({ kind: fc.constant('HASH' as const), data: octets(1, 64) }),
  fc.record({ kind: fc.constant('NONCE' as const), data: octets(8, 256) }),
  fc.record({
    kind: fc.constant('ID' as const),
    idType: fc.constantFrom(ID_TYPE.ID_FQDN, ID_TYPE.ID_KEY_ID),
    ipProtocol: u8,
    port: u16,
    data: octets(0, 40),
  }),
  fc.record({
    kind: fc.constant('ID' as const),
    idType: fc.constant(ID_TYPE.ID_IPV4_ADDR),
    ipProtocol: u8,
    port: u16,
    data: octets(4, 4),
  }),
  fc.record({ kind: fc.constantFrom('CERT' as const, 'CR' as const), encoding: u8, data: octets(0, 60) }),
  fc.record({
    kind: fc.constant('N' as const),
    doi: u32,
    protocol: u8,
    notifyType: u16,
    spi: octets(0, 16),
    data: octets(0, 40),
  }),
  fc.record({ kind: fc.constant('D' as const), doi: u32, protocol: u8, spis }),
  fc.record({ kind: fc.constant('NAT-D' as const), numbers, hash: octets(16, 64) }),
  fc.record({
    kind: fc.constant('NAT-OA' as const),
    numbers,
    address: fc.oneof(octets(4, 4), octets(16, 16)),
  }),
  fc.record({
    kind: fc.constant('FRAGMENT' as const),
    id: u16,
    number: fc.integer({ min: 1, max: ISAKMP_LIMITS.fragmentsMax }),
    last: fc.boolean(),
    data: octets(1, 60),
  }),
  fc.record({
    kind: fc.constant('private' as const),
    type: fc.integer({ min: 133, max: 255 }),
    data: octets(0, 30),
  }),
);

const fields = fc.record({
  initiatorCookie: octets(8, 8),
  responderCookie: octets(8, 8),
  exchange: fc.constantFrom(...Object.values(EXCHANGE)),
  messageId: u32,
});
const payloads = fc.array(payload, { minLength: 1, maxLength: 8 });

describe('ISAKMP messages', () => {
  test('what is emitted is parsed as it was, for every payload', () => {
    fc.assert(
      fc.property(fields, payloads, (header, chain) => {
        const message = parseClearMessage(emitClearMessage(header, chain));
        expect(message.ok).toBe(true);
        if (!message.ok) return;
        expect(message.value.header).toMatchObject(header);
        expect(message.value.chain.links.map((link) => link.payload)).toEqual(chain);
      }),
    );
  });

  test('no proper prefix of a message is a message', () => {
    fc.assert(
      fc.property(fields, payloads, (header, chain) => {
        const whole = emitClearMessage(header, chain);
        for (let length = 0; length < whole.length; length += 1) {
          const prefix = Uint8Array.from(whole.subarray(0, length));
          expect(parseClearMessage(prefix).ok).toBe(false);
          if (length < ISAKMP_HEADER_OCTETS) continue;
          // Nor with a header that owns up to the length.
          new DataView(prefix.buffer).setUint32(24, length);
          expect(parseClearMessage(prefix).ok).toBe(false);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('every 16-bit word replaced by every kind of lie: a value or a refusal, never a throw or a read outside', () => {
    const lies = [0, 1, 3, 4, 5, 7, 8, 0x7fff, 0x8000, 0xfffe, 0xffff];
    fc.assert(
      fc.property(fields, payloads, (header, chain) => {
        const whole = emitClearMessage(header, chain);
        for (let at = ISAKMP_HEADER_OCTETS; at + 2 <= whole.length; at += 1) {
          for (const lie of lies) {
            const changed = Uint8Array.from(whole);
            new DataView(changed.buffer).setUint16(at, lie);
            const message = parseClearMessage(changed);
            if (!message.ok) expect(message.offset).toBeLessThanOrEqual(whole.length);
            else expect(message.value.chain.end).toBe(whole.length);
          }
        }
      }),
      { numRuns: 10 },
    );
  });

  test('any octets: the walker advances and ends', () => {
    fc.assert(
      fc.property(octets(0, 400), u8, (junk, first) => {
        const chain = parseChain(junk, 0, first);
        if (!chain.ok) return;
        let at = 0;
        for (const link of chain.value.links) {
          expect(link.offset).toBe(at);
          at += 4 + link.body.length;
        }
        expect(chain.value.end).toBe(at);
      }),
      { numRuns: 2000 },
    );
  });

  test('an opened message may end in padding, one in the clear may not', () => {
    const header = {
      initiatorCookie: new Uint8Array(8),
      responderCookie: new Uint8Array(8),
      exchange: 2,
      messageId: 0,
    };
    const whole = emitClearMessage(header, [{ kind: 'HASH', data: new Uint8Array(20) }]);
    const padded = new Uint8Array(whole.length + 8).fill(0xa5);
    padded.set(whole);
    new DataView(padded.buffer).setUint32(24, padded.length);
    expect(parseClearMessage(padded)).toMatchObject({ ok: false, reason: 'trailing-octets' });
    const parsed = parseIsakmpHeader(padded);
    expect(parsed.ok && parseOpenedMessage(parsed.value, padded.subarray(28))).toMatchObject({ ok: true });
  });
});

describe('limits (reliability S-6)', () => {
  const fieldsOf = {
    initiatorCookie: new Uint8Array(8),
    responderCookie: new Uint8Array(8),
    exchange: 2,
    messageId: 0,
  };
  const refused = (chain: readonly Payload[]) => parseClearMessage(emitClearMessage(fieldsOf, chain));
  const nothing = new Uint8Array(0);

  test('payloads', () => {
    const vids = Array.from(
      { length: ISAKMP_LIMITS.payloadsMax + 1 },
      (): Payload => ({ kind: 'VID', data: new Uint8Array(1) }),
    );
    expect(refused(vids)).toMatchObject({ ok: false, reason: 'too-many' });
    expect(refused(vids.slice(1)).ok).toBe(true);
  });

  test('proposals and transforms', () => {
    const one = { number: 1, protocol: 1, spi: nothing, transforms: [{ number: 1, id: 1, attributes: [] }] };
    const proposals = Array.from({ length: ISAKMP_LIMITS.proposalsMax + 1 }, () => one);
    expect(refused([{ kind: 'SA', proposals }])).toMatchObject({ ok: false, reason: 'too-many' });
    expect(refused([{ kind: 'SA', proposals: proposals.slice(1) }]).ok).toBe(true);
    const many = {
      ...one,
      transforms: Array.from({ length: 200 }, () => ({ number: 1, id: 1, attributes: [] })),
    };
    expect(refused([{ kind: 'SA', proposals: [many, many] }])).toMatchObject({
      ok: false,
      reason: 'too-many',
    });
  });

  test('certificates, SPIs of a Delete, attributes', () => {
    const certificates = Array.from(
      { length: 17 },
      (): Payload => ({ kind: 'CERT', encoding: 4, data: nothing }),
    );
    expect(refused(certificates)).toMatchObject({ ok: false, reason: 'too-many' });
    const spiList = Array.from({ length: 65 }, () => new Uint8Array(4));
    expect(refused([{ kind: 'D', doi: 1, protocol: 3, spis: spiList }])).toMatchObject({
      ok: false,
      reason: 'too-many',
    });
    const attributes = Array.from({ length: 33 }, (): Attribute => ({ type: 1, form: 'TV', value: 1 }));
    const transforms = [{ number: 1, id: 1, attributes }];
    expect(
      refused([{ kind: 'SA', proposals: [{ number: 1, protocol: 1, spi: nothing, transforms }] }]),
    ).toMatchObject({
      ok: false,
      reason: 'too-many',
    });
  });

  test('a Delete whose count and size disagree with its length', () => {
    for (const [size, count] of [
      [4, 2],
      [0, 1],
      [16, 1],
      [255, 255],
    ] as const) {
      const body = Uint8Array.from([0, 0, 0, 1, 3, size, count >>> 8, count & 0xff, 1, 2, 3, 4]);
      const chain = Uint8Array.from([0, 0, 0, 4 + body.length, ...body]);
      expect(parseChain(chain, 0, PAYLOAD.D)).toMatchObject({ ok: false });
    }
  });
});

describe('header', () => {
  test('construct over junk: every octet is written', () => {
    const into = new Uint8Array(ISAKMP_HEADER_OCTETS).fill(0xa5);
    const header = {
      initiatorCookie: new Uint8Array(8).fill(1),
      responderCookie: new Uint8Array(8),
      nextPayload: 1,
      majorVersion: 1,
      minorVersion: 0,
      exchange: 2,
      flags: 0,
      messageId: 0,
      length: ISAKMP_HEADER_OCTETS,
    };
    expect(emitIsakmpHeader(header, into)).toBe(ISAKMP_HEADER_OCTETS);
    expect(parseIsakmpHeader(into)).toEqual({ ok: true, value: header });
  });

  test('a length that lies', () => {
    const datagram = new Uint8Array(60);
    for (const [length, reason] of [
      [0, 'bad-length'],
      [27, 'bad-length'],
      [59, 'trailing-octets'],
      [61, 'bad-length'],
      [0xffffffff, 'bad-length'],
    ] as const) {
      new DataView(datagram.buffer).setUint32(24, length);
      expect(parseIsakmpHeader(datagram)).toMatchObject({ ok: false, reason });
    }
  });
});

describe('attributes (RFC 2408 §3.3)', () => {
  test('numbers in both forms', () => {
    fc.assert(
      fc.property(u32, (value) => {
        expect(attributeNumber(numberAttribute(12, value))).toBe(value);
      }),
    );
    expect(attributeNumber({ type: 1, form: 'TLV', octets: Uint8Array.from([0, 0, 0, 0, 0, 0, 1, 0]) })).toBe(
      256,
    );
    expect(attributeNumber({ type: 1, form: 'TLV', octets: new Uint8Array(8).fill(1) })).toBeUndefined();
    expect(attributeNumber({ type: 1, form: 'TLV', octets: new Uint8Array(0) })).toBeUndefined();
  });
});
