import { parseAttributes, parseChain, parseProposals } from '@culvert/wire/ike';
import { parseAvp, parseControlMessage } from '@culvert/wire/l2tp';
import { parseOptions } from '@culvert/wire/ppp';
import fc from 'fast-check';
import { expect, test } from 'vitest';

/**
 * CVE-2026-35328, endless loop: the length of a list was not used up by its elements. Over any octets a list
 * has no more elements than its octets can hold, and no element is read twice.
 */
const octets = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  // Small numbers are what lengths and types look like.
  fc
    .array(fc.constantFrom(0, 0, 0, 1, 2, 3, 4, 6, 8, 12, 128, 255), { maxLength: 400 })
    .map((list) => Uint8Array.from(list)),
);

test('payloads, proposals and attributes', () => {
  fc.assert(
    fc.property(octets, fc.nat(255), (list, first) => {
      const chain = parseChain(list, 0, first);
      if (chain.ok) {
        const held = chain.value.links.reduce((sum, { body }) => sum + 4 + body.length, 0);
        expect(held).toBe(chain.value.end);
        expect(chain.value.end).toBeLessThanOrEqual(list.length);
      }
      const proposals = parseProposals(list, 0);
      if (proposals.ok) expect(proposals.value.length * 8).toBeLessThanOrEqual(list.length);
      const attributes = parseAttributes(list, 0);
      if (attributes.ok) expect(attributes.value.length * 4).toBeLessThanOrEqual(list.length);
    }),
    { numRuns: 2_000 },
  );
});

test('options and AVPs', () => {
  fc.assert(
    fc.property(octets, (list) => {
      const options = parseOptions(list);
      if (options.ok) {
        expect(options.value.reduce((sum, { data }) => sum + 2 + data.length, 0)).toBe(list.length);
      }
      for (let at = 0; at < list.length; ) {
        const one = parseAvp(list, at);
        if (!one.ok) break;
        expect(one.value.next).toBe(at + 6 + one.value.avp.value.length);
        at = one.value.next;
      }
      const message = parseControlMessage(list);
      if (message.ok) expect(list.length).toBeGreaterThanOrEqual(12);
    }),
    { numRuns: 2_000 },
  );
});
