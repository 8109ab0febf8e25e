import {
  AUTHENTICATION,
  EXCHANGE,
  emitClearMessage,
  NOTIFY,
  numberAttribute,
  PHASE_1_ATTRIBUTE,
  parseClearMessage,
  payloadsOf,
} from '@culvert/wire/ike';
import { expect, test } from 'vitest';
import { labConfig, openLab } from '../exchange/ike/lab.ts';
import { phase1Offer } from '../peer/isakmp-offer.ts';
import { modern } from '../peer/profile.ts';
import { inWorld } from '../sim/index.ts';
import { answersIn, expectUnharmed } from './ike-stage.ts';

/**
 * CVE-2018-0131 and its kin, Bleichenbacher oracle: modes that authenticate by RSA encryption. Racoon
 * CVE-2015-4047, NULL: GSSAPI was proposed. A pre-shared key is the only method there is, all others are
 * refused with NO-PROPOSAL-CHOSEN before anything is computed.
 */
const METHODS = [
  ...Array.from({ length: 256 }, (_, method) => method),
  ...Array.from({ length: 40 }, (_, index) => 64_216 + index),
  ...Array.from({ length: 24 }, (_, index) => 65_000 + index),
  65_535,
].filter((method) => method !== AUTHENTICATION['pre-shared key']);

test('every other authentication method is refused', () =>
  inWorld({ seed: 610 }, async (world) => {
    const lab = await openLab(
      world,
      labConfig('ike: { halfOpenMax: 100000, halfOpenPerSourceMax: 10000 }\n'),
    );
    const answers = answersIn(world);
    const [proposal] = phase1Offer(modern.ike).proposals;
    const [transform] = proposal?.transforms ?? [];
    if (proposal === undefined || transform === undefined) throw new Error('a profile offers something');
    for (const [index, method] of METHODS.entries()) {
      const attributes = transform.attributes.map((attribute) =>
        attribute.type === PHASE_1_ATTRIBUTE.authentication
          ? numberAttribute(PHASE_1_ATTRIBUTE.authentication, method)
          : attribute,
      );
      const initiatorCookie = Uint8Array.of(1, 1, 1, 1, 1, 1, index >>> 8, index & 0xff);
      const fields = { initiatorCookie, responderCookie: new Uint8Array(8), messageId: 0 };
      const offer = {
        kind: 'SA',
        proposals: [{ ...proposal, transforms: [{ ...transform, attributes }] }],
      } as const;
      lab.inject(emitClearMessage({ ...fields, exchange: EXCHANGE.identityProtection }, [offer]));
      if (index % 32 === 0) await world.run(1);
    }
    await world.run(10);
    const said = answers.map((octets) => {
      const message = parseClearMessage(octets);
      return message.ok ? payloadsOf(message.value.chain, 'N')[0]?.notifyType : undefined;
    });
    expect(said).toEqual(METHODS.map(() => NOTIFY['NO-PROPOSAL-CHOSEN']));
    expectUnharmed(lab);
  }));
