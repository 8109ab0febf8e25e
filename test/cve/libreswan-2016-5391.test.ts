import { type IkePolicy, selectPhase1, selectPhase2 } from '@culvert/actors-ike';
import {
  EXCHANGE,
  emitClearMessage,
  NOTIFY,
  PHASE_1_ATTRIBUTE,
  PHASE_2_ATTRIBUTE,
  parseClearMessage,
  payloadsOf,
  type SaPayload,
  type Transform,
} from '@culvert/wire/ike';
import { describe, expect, test } from 'vitest';
import { policyOf } from '../../services/ike/policy.ts';
import { labConfig, openLab } from '../exchange/ike/lab.ts';
import { phase1Offer, phase2Offer } from '../peer/isakmp-offer.ts';
import { macos, modern, windows10 } from '../peer/profile.ts';
import { inWorld } from '../sim/index.ts';
import { answersIn, expectUnharmed, SECOND } from './ike-stage.ts';

/**
 * CVE-2016-5391, NULL: a proposal without the transform for Diffie-Hellman. Each attribute left out, named
 * twice, or zero, alone and in pairs: nothing is selected that lacks what a suite is made of.
 */
const policy: IkePolicy = policyOf(labConfig());
const setting = { natTraversal: true, natted: false, keyExchange: false };
const spi = Uint8Array.of(0x90, 0, 0, 1);

/** The offers of a profile that the gateway would take, each by itself. */
function taken(offer: SaPayload, selects: (sa: SaPayload) => boolean): Transform[] {
  return offer.proposals
    .flatMap(({ transforms }) => transforms)
    .filter((transform) => selects(single(offer, transform)));
}

function single({ proposals }: SaPayload, transform: Transform): SaPayload {
  const [proposal] = proposals;
  if (proposal === undefined) throw new Error('a profile offers something');
  return { kind: 'SA', proposals: [{ ...proposal, transforms: [transform] }] };
}

const without = (transform: Transform, types: readonly number[]): Transform => ({
  ...transform,
  attributes: transform.attributes.filter(({ type }) => !types.includes(type)),
});
const twice = (transform: Transform, type: number): Transform => ({
  ...transform,
  attributes: [...transform.attributes, ...transform.attributes.filter((one) => one.type === type)],
});
const zero = (transform: Transform, type: number): Transform => ({
  ...transform,
  attributes: transform.attributes.map((one) => (one.type === type ? { type, form: 'TV', value: 0 } : one)),
});

const PHASE_1 = ['encryption', 'hash', 'authentication', 'group', 'keyLength'] as const;
const PHASE_2 = ['encapsulation', 'authentication', 'keyLength'] as const;

describe.each([macos, modern, windows10])('$name', ({ ike }) => {
  const first = phase1Offer(ike);
  const second = phase2Offer(ike, spi, false, false);
  const selects1 = (sa: SaPayload) => selectPhase1(sa, policy, '').ok;
  const selects2 = (sa: SaPayload) => selectPhase2(sa, policy, setting, '').ok;

  test.each([
    ['phase 1', first, PHASE_1.map((name) => PHASE_1_ATTRIBUTE[name]), selects1],
    ['phase 2', second, PHASE_2.map((name) => PHASE_2_ATTRIBUTE[name]), selects2],
  ] as const)('%s', (_, offer, types, selects) => {
    const good = taken(offer, selects);
    expect(good.length).toBeGreaterThan(0);
    for (const transform of good) {
      const present = types.filter((type) => transform.attributes.some((one) => one.type === type));
      for (const a of present) {
        expect(selects(single(offer, zero(transform, a)))).toBe(false);
        expect(selects(single(offer, twice(transform, a)))).toBe(false);
        for (const b of present) expect(selects(single(offer, without(transform, [a, b])))).toBe(false);
      }
      expect(selects(single(offer, { ...transform, attributes: [] }))).toBe(false);
    }
  });
});

test('on the wire each is refused with NO-PROPOSAL-CHOSEN', () =>
  inWorld({ seed: 500 }, async (world) => {
    const lab = await openLab(world);
    const answers = answersIn(world);
    const offer = phase1Offer(modern.ike);
    const [transform] = offer.proposals.flatMap(({ transforms }) => transforms);
    if (transform === undefined) throw new Error('a profile offers something');
    const responderCookie = new Uint8Array(8);
    for (const [index, name] of PHASE_1.entries()) {
      const fields = { responderCookie, exchange: EXCHANGE.identityProtection, messageId: 0 };
      const sa = single(offer, without(transform, [PHASE_1_ATTRIBUTE[name]]));
      lab.inject(emitClearMessage({ ...fields, initiatorCookie: new Uint8Array(8).fill(index + 1) }, [sa]));
    }
    await world.run(SECOND);
    const said = answers.map((octets) => {
      const message = parseClearMessage(octets);
      return message.ok ? payloadsOf(message.value.chain, 'N')[0]?.notifyType : undefined;
    });
    expect(said).toEqual(PHASE_1.map(() => NOTIFY['NO-PROPOSAL-CHOSEN']));
    expectUnharmed(lab);
  }));
