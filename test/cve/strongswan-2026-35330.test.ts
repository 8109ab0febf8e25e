import { concat } from '@culvert/wire';
import { PAYLOAD, parseAttributes, parseChain, parseProposals, parseTransforms } from '@culvert/wire/ike';
import { parseAvp } from '@culvert/wire/l2tp';
import { parseControlPacket, parseEapBody, parseOptions } from '@culvert/wire/ppp';
import { describe, expect, test } from 'vitest';

/**
 * CVE-2026-35330 and CVE-2026-25075, endless loop and underflow: a type-length-value whose length is zero or
 * less than its own header. The same three lies for every list that is read here, at its first element and
 * at a later one.
 */
const be = (value: number, octets: number) =>
  octets === 1 ? Uint8Array.of(value) : Uint8Array.of((value >>> 8) & 0xff, value & 0xff);

interface List {
  readonly name: string;
  readonly headerOctets: number;
  /** One element of a true header and two octets of content, except that its length is as told. */
  readonly element: (length: number) => Uint8Array;
  readonly parse: (octets: Uint8Array) => { readonly ok: boolean };
}

const two = Uint8Array.of(0x41, 0x42);
const LISTS: readonly List[] = [
  {
    name: 'LCP and NCP options',
    headerOctets: 2,
    element: (length) => concat(Uint8Array.of(200, length), two),
    parse: parseOptions,
  },
  {
    name: 'AVPs',
    headerOctets: 6,
    element: (length) => concat(be(length, 2), new Uint8Array(4), two),
    parse: (octets) => walkAvps(octets),
  },
  {
    name: 'ISAKMP payloads',
    headerOctets: 4,
    element: (length) => concat(Uint8Array.of(PAYLOAD.VID, 0), be(length, 2), two),
    parse: (octets) => parseChain(concat(octets, Uint8Array.of(0, 0, 0, 4)), 0, PAYLOAD.VID),
  },
  {
    name: 'proposals',
    headerOctets: 8,
    element: (length) => concat(Uint8Array.of(2, 0), be(length, 2), Uint8Array.of(1, 1, 0, 0), two),
    parse: (octets) => parseProposals(octets, 0),
  },
  {
    name: 'transforms',
    headerOctets: 8,
    element: (length) => concat(Uint8Array.of(3, 0), be(length, 2), Uint8Array.of(1, 1, 0, 0), two),
    parse: (octets) => parseTransforms(octets, 2, 0),
  },
  {
    name: 'attributes',
    headerOctets: 4,
    element: (length) => concat(be(1, 2), be(length - 4, 2), two),
    parse: (octets) => parseAttributes(octets, 0),
  },
];

function walkAvps(octets: Uint8Array): { readonly ok: boolean } {
  for (let at = 0; at < octets.length; ) {
    const one = parseAvp(octets, at);
    if (!one.ok) return one;
    at = one.value.next;
  }
  return { ok: true };
}

describe.each(LISTS)('$name', ({ name, headerOctets, element, parse }) => {
  const sound = element(headerOctets + 2);

  test('an element shorter than its header, or longer than what is there', () => {
    const lies = [0, 1, headerOctets - 1, headerOctets + 3, 0xff].filter(
      // An attribute's length does not count its header: it cannot be shorter than that.
      (length) => name !== 'attributes' || length > headerOctets,
    );
    for (const length of lies) {
      expect(parse(element(length)).ok).toBe(false);
      expect(parse(concat(sound, element(length))).ok).toBe(false);
    }
  });

  test('half an element at the end', () => {
    for (let length = 1; length < sound.length; length += 1) {
      expect(parse(concat(sound, sound.subarray(0, length))).ok).toBe(false);
    }
  });
});

test('EAP: every Length, around every body', () => {
  for (let octets = 0; octets <= 16; octets += 1) {
    for (let length = 0; length <= 20; length += 1) {
      for (const code of [1, 2, 3, 4, 5]) {
        const packet = concat(Uint8Array.of(code, 1, 0, length), new Uint8Array(octets).fill(13));
        const parsed = parseControlPacket(packet);
        expect(parsed.ok).toBe(length >= 4 && length <= packet.length);
        if (!parsed.ok) continue;
        const body = parseEapBody(parsed.value);
        if (!body.ok) continue;
        const rest = body.value === undefined ? -1 : body.value.typeData.length;
        expect(rest).toBe(code === 3 || code === 4 ? -1 : length - 5);
      }
    }
  }
});
