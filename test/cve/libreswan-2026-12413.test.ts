import { hex } from '@culvert/wire';
import { type Attribute, ISAKMP_LIMITS, type Payload, parseClearMessage } from '@culvert/wire/ike';
import { describe, expect, test } from 'vitest';
import { mainMode, proposal, transform } from './ike-samples.ts';

/** CVE-2026-12413: more payloads than array slots stopped the process. One more than each limit, and the limit. */
describe('CVE-2026-12413', () => {
  const vid: Payload = { kind: 'VID', data: hex('00') };
  const payloads = (count: number) => mainMode(Array.from({ length: count }, () => vid));
  const proposals = (count: number) =>
    mainMode([{ kind: 'SA', proposals: Array.from({ length: count }, () => proposal) }]);
  const transforms = (count: number) =>
    mainMode([
      {
        kind: 'SA',
        proposals: Array.from({ length: Math.ceil(count / 128) }, (_, index) => ({
          ...proposal,
          transforms: Array.from({ length: Math.min(128, count - index * 128) }, () => transform),
        })),
      },
    ]);
  const attributes = (count: number) =>
    mainMode([
      {
        kind: 'SA',
        proposals: [
          {
            ...proposal,
            transforms: [
              {
                ...transform,
                attributes: Array.from(
                  { length: count },
                  (): Attribute => ({ type: 1, form: 'TV', value: 7 }),
                ),
              },
            ],
          },
        ],
      },
    ]);

  test.each([
    ['payloads', payloads, ISAKMP_LIMITS.payloadsMax],
    ['proposals', proposals, ISAKMP_LIMITS.proposalsMax],
    ['transforms', transforms, ISAKMP_LIMITS.transformsMax],
    ['attributes', attributes, ISAKMP_LIMITS.attributesPerTransformMax],
  ] as const)('%s', (_, build, limit) => {
    expect(parseClearMessage(build(limit)).ok).toBe(true);
    expect(parseClearMessage(build(limit + 1))).toMatchObject({ ok: false, reason: 'too-many' });
  });
});
