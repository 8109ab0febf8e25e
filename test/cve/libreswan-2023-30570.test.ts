import { hex, toHex } from '@culvert/wire';
import {
  EXCHANGE,
  emitClearMessage,
  emitWithHeader,
  FLAG,
  ID_TYPE,
  type Payload,
  parseIsakmpHeader,
} from '@culvert/wire/ike';
import { describe, expect, test } from 'vitest';
import { openLab } from '../exchange/ike/lab.ts';
import { phase1Offer } from '../peer/isakmp-offer.ts';
import { modern } from '../peer/profile.ts';
import { inWorld } from '../sim/index.ts';
import { answersIn, dropped, expectUnharmed, HOST, SECOND } from './ike-stage.ts';

/**
 * CVE-2023-30570, crash: an Aggressive Mode with nothing but bad algorithms was refused, and the responder
 * cookie of the refusal led into half of a state. Here it leads nowhere, and is forgotten in time.
 */
const initiatorCookie = hex('1122334455667788');
const key = { kind: 'KE', data: new Uint8Array(256).fill(7) } as const;
const nonce = { kind: 'NONCE', data: new Uint8Array(20) } as const;
const id = { kind: 'ID', idType: ID_TYPE.ID_KEY_ID, ipProtocol: 0, port: 0, data: hex('61') } as const;
const hash = { kind: 'HASH', data: new Uint8Array(32) } as const;
const bad = phase1Offer({ ...modern.ike, phase1: [['des-cbc', 'md5', 14]] });

describe.each([
  ['Aggressive Mode', EXCHANGE.aggressive, [bad, key, nonce, id]],
  ['Aggressive Mode with good algorithms', EXCHANGE.aggressive, [phase1Offer(modern.ike), key, nonce, id]],
  ['Main Mode', EXCHANGE.identityProtection, [bad]],
] as const)('%s', (_, exchange, payloads) => {
  test('no message under the cookie of a refusal is answered, and nothing is left of it', () =>
    inWorld({ seed: 570 }, async (world) => {
      const lab = await openLab(world);
      const answers = answersIn(world);
      const first = { initiatorCookie, responderCookie: new Uint8Array(8), exchange, messageId: 0 };
      lab.inject(emitClearMessage(first, payloads), HOST);
      await world.run(10);
      const refusal = parseIsakmpHeader(answers[0] ?? hex(''));
      if (!refusal.ok) throw new Error('a refusal was said');
      const responderCookie = refusal.value.responderCookie.slice();
      expect(toHex(responderCookie)).not.toBe('0000000000000000');
      for (const next of [2, 4, 5, 32, 33]) {
        for (const messageId of [0, 9]) {
          const fields = { initiatorCookie, responderCookie, exchange: next, messageId };
          const chains: readonly (readonly Payload[])[] = [[key, nonce], [hash], [id, hash], payloads];
          for (const chain of chains) lab.inject(emitClearMessage(fields, chain), HOST);
          lab.inject(emitWithHeader(fields, 8, FLAG.encryption, new Uint8Array(64)), HOST);
          await world.run(1);
        }
      }
      expect(answers).toHaveLength(1);
      expectUnharmed(lab);
      await world.run(120 * SECOND);
      expect(answers).toHaveLength(1);
      expect(lab.runtime.telemetry.gauges()['culvert.host.sessions{protocol=ike}']).toBe(0);
      expect(lab.runtime.telemetry.gauges()['culvert.ike.half_open']).toBe(0);
    }));
});

test('a first message that is refused without an answer leaves no half-open SA to count', () =>
  inWorld({ seed: 571 }, async (world) => {
    const lab = await openLab(world);
    const answers = answersIn(world);
    const [proposal] = phase1Offer(modern.ike).proposals;
    const [transform] = proposal?.transforms ?? [];
    if (proposal === undefined || transform === undefined) throw new Error('a profile offers something');
    const many = Array.from({ length: 255 }, (_, number) => ({
      ...transform,
      number,
      attributes: [...transform.attributes, ...transform.attributes],
    }));
    const sa: Payload = { kind: 'SA', proposals: [{ ...proposal, transforms: many }] };
    for (let n = 1; n <= 40; n += 1) {
      const cookie = new Uint8Array(8).fill(n);
      const fields = { initiatorCookie: cookie, responderCookie: new Uint8Array(8), messageId: 0 };
      lab.inject(emitClearMessage({ ...fields, exchange: EXCHANGE.identityProtection }, [sa]), HOST);
    }
    await world.run(10);
    expect(answers).toEqual([]);
    expect(dropped(lab, 'sa-too-large')).toBe(40);
    expect(lab.runtime.telemetry.gauges()['culvert.ike.half_open']).toBe(0);
    const honest = lab.station(modern.ike);
    honest.initiator.connect();
    await world.until(() => honest.sas.length === 1, 20 * SECOND);
  }));
