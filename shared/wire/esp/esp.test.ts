import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hex } from '../octets.ts';
import {
  emitEspHeader,
  emitEspTrailer,
  emitMarked,
  espPlainLength,
  parseEspHeader,
  parseEspPlain,
  parseUdpEncapsulated,
} from './index.ts';

describe('RFC 4303', () => {
  test('§2.1: header round trip, reserved SPIs and short datagrams refused', () => {
    fc.assert(
      fc.property(fc.integer({ min: 256, max: 0xffffffff }), fc.nat(0xffffffff), (spi, sequence) => {
        const octets = new Uint8Array(8).fill(0xa5);
        emitEspHeader({ spi, sequence }, octets);
        expect(parseEspHeader(octets)).toEqual({ ok: true, value: { spi, sequence } });
      }),
    );
    for (let length = 0; length < 8; length += 1)
      expect(parseEspHeader(new Uint8Array(length).fill(1)).ok).toBe(false);
    expect(parseEspHeader(hex('000000ff00000001'))).toMatchObject({ reason: 'bad-value' });
  });

  test('§2.4: padding and trailer round trip on a junk-filled buffer', () => {
    const blocks = fc.constantFrom(1, 4, 8, 16);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), blocks, fc.nat(255), (payload, block, nextHeader) => {
        const end = espPlainLength(payload.length, block);
        expect(end % Math.max(4, block)).toBe(0);
        expect(end - payload.length).toBeLessThan(2 + Math.max(4, block));
        const plain = new Uint8Array(end).fill(0xa5);
        plain.set(payload);
        emitEspTrailer(plain, payload.length, end, nextHeader);
        expect(parseEspPlain(plain)).toEqual({ ok: true, value: { payload, nextHeader } });
      }),
    );
  });

  test('§2.4: pad length and pad octets that lie', () => {
    expect(parseEspPlain(hex(''))).toMatchObject({ reason: 'truncated' });
    expect(parseEspPlain(hex('11'))).toMatchObject({ reason: 'truncated' });
    expect(parseEspPlain(hex('0111'))).toMatchObject({ reason: 'bad-length' });
    expect(parseEspPlain(hex('ffffffff11'))).toMatchObject({ reason: 'bad-length' });
    expect(parseEspPlain(hex('01030211'))).toMatchObject({ reason: 'bad-padding' });
    expect(parseEspPlain(hex('01020211'))).toMatchObject({ ok: true });
  });
});

describe('RFC 3948', () => {
  test('§2: marker, SPI, keepalive and what is none of them', () => {
    expect(parseUdpEncapsulated(hex('ff'))).toEqual({ ok: true, value: { kind: 'keepalive' } });
    expect(parseUdpEncapsulated(hex('00000000aabb'))).toEqual({
      ok: true,
      value: { kind: 'ike', octets: hex('aabb') },
    });
    expect(parseUdpEncapsulated(hex('00000001'))).toMatchObject({ ok: true, value: { kind: 'esp' } });
    for (const short of ['', '00', 'fe', 'ffff', '000000'])
      expect(parseUdpEncapsulated(hex(short)).ok).toBe(false);
  });

  test('§2.2: an IKE message behind its marker', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (message) => {
        expect(parseUdpEncapsulated(emitMarked(message))).toEqual({
          ok: true,
          value: { kind: 'ike', octets: message },
        });
      }),
    );
  });
});
