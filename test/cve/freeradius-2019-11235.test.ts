import type { AuthContext } from '@culvert/actors-ppp';
import { chapCodes, codes, lcpOptions, optionOf, protocols } from '@culvert/wire/ppp';
import { describe, expect, test } from 'vitest';
import {
  frame,
  lcp,
  lcpOpened,
  link,
  msChapResponse,
  ourRequest,
  sent,
  started,
} from '../exchange/ppp/by-hand.ts';
import { inWorld } from '../sim/index.ts';
import { answersIn, dropped, established, expectUnharmed, HOST, SECOND } from './ike-stage.ts';

/**
 * CVE-2019-11234 and CVE-2019-11235, authentication bypass by reflection: what we said comes back to us as
 * if the peer had said it. HASH(1) of IKEv1 says nothing of direction, so a probe of ours would be a
 * probe of the peer, or even, answered, its sign of life.
 */
const ELSEWHERE = { address: '203.0.113.66', port: 4500 };

describe('IKE', () => {
  test('our own messages, sent back from anywhere, are replays', () =>
    inWorld({ seed: 640 }, async (world) => {
      const { lab, station } = await established(world);
      const answers = answersIn(world);
      for (const octets of station.received) {
        lab.inject(octets, HOST);
        lab.inject(octets, ELSEWHERE);
      }
      await world.run(SECOND);
      expect(answers).toEqual([]);
      // Nobody there any more: the gateway asks whether the peer lives.
      station.filter = () => false;
      await world.until(() => answers.length === 1, 120 * SECOND);
      const [probe] = answers;
      const before = dropped(lab, 'message-id-reused');
      lab.inject(probe ?? new Uint8Array(0), ELSEWHERE);
      await world.run(10);
      expect(dropped(lab, 'message-id-reused')).toBe(before + 1);
      expect(answers).toHaveLength(1);
      expectUnharmed(lab);
    }));

  test('reflection does not keep a dead peer alive', () =>
    inWorld({ seed: 641 }, async (world) => {
      const { lab, station } = await established(world);
      station.filter = () => false;
      world.broker.tap(({ subject, payload }) => {
        if (subject.startsWith('culvert.edge.ike'))
          lab.inject((payload as { octets: Uint8Array }).octets, HOST);
      });
      await world.run(600 * SECOND);
      expect(lab.logged('peer silent')).toHaveLength(1);
      expect(lab.entries()).toEqual([]);
      expectUnharmed(lab);
    }));
});

describe('PPP', () => {
  test('an MS-CHAPv2 response over our own challenge is refused, whoever can compute it', () => {
    started();
    lcpOpened();
    const { challenge } = link.context<AuthContext>('auth/1');
    const effects = link.take(msChapResponse(challenge));
    expect(effects.some(({ type }) => type === 'aaa.authenticate')).toBe(false);
    expect(sent(effects, protocols.chap).map(({ code }) => code)).toEqual([chapCodes.failure]);
  });

  test('our own Configure-Request, sent back, is Nak’d for its Magic-Number', () => {
    started();
    const { request } = ourRequest('lcp/1');
    for (let turn = 0; turn < 3; turn += 1) {
      const [answer] = sent(link.take(lcp(codes.configureRequest, turn, request)), protocols.lcp);
      expect(answer?.code).toBe(codes.configureNak);
      expect(answer?.options.map(({ type }) => type)).toEqual([lcpOptions.magicNumber]);
      expect(answer?.options[0]).not.toEqual(optionOf(request, lcpOptions.magicNumber));
    }
  });

  test('our own Echo-Request, sent back, is no sign of life', () => {
    started();
    lcpOpened();
    const magic = optionOf(ourRequest('lcp/1').request, lcpOptions.magicNumber)?.data ?? new Uint8Array(4);
    for (const code of [codes.echoRequest, codes.echoReply, codes.discardRequest]) {
      expect(link.drop(frame(protocols.lcp, code, 1, magic))).toBe('looped');
    }
  });
});
