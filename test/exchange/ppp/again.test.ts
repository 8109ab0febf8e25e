import type { AuthContext, PppEffect } from '@culvert/actors-ppp';
import { codes, ipcpOptions, ipv4Option, mruOption, protocols } from '@culvert/wire/ppp';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  ADDRESS,
  acknowledge,
  authenticated,
  CALL,
  ipcp,
  lcp,
  lcpOpened,
  leased,
  link,
  MAGIC,
  msChapResponse,
  started,
} from './by-hand.ts';

const PEER_CHALLENGE = new Uint8Array(16).fill(1);
const verdict = { accepted: true, user: 'alice', policy: {} } as const;
const types = (effects: readonly PppEffect[]) => effects.map(({ type }) => type);

function attemptOf(effects: readonly PppEffect[]): number {
  const question = effects.find((effect) => effect.type === 'aaa.authenticate');
  if (question === undefined) throw new Error('aaa was not asked');
  return question.attempt;
}

/** RFC 1661 §3.4: a Configure-Request in Opened takes the link back to Establish. */
function lcpAgain(): PppEffect[] {
  const down = link.take(lcp(codes.configureRequest, 9, [mruOption(1400), MAGIC]));
  return [...down, ...lcpOpened()];
}

function networkOpened(): void {
  link.take(ipcp(codes.configureRequest, 1, [ipv4Option(ipcpOptions.ipAddress, ADDRESS)]));
  acknowledge('ipcp', protocols.ipcp);
}

beforeEach(started);

describe('a client that begins LCP again', () => {
  test('is not let in, nor refused, by the verdict on what it showed before', () => {
    lcpOpened();
    const before = attemptOf(link.take(msChapResponse(PEER_CHALLENGE)));
    lcpAgain();
    const now = attemptOf(link.take(msChapResponse(PEER_CHALLENGE)));
    expect(now).not.toBe(before);
    expect(link.take({ type: 'verified', call: CALL, attempt: before, verdict })).toEqual([]);
    const refusal = { accepted: false, reason: 'wrong-password' } as const;
    expect(link.take({ type: 'verified', call: CALL, attempt: before, verdict: refusal })).toEqual([]);
    expect(types(link.take({ type: 'verified', call: CALL, attempt: now, verdict }))).toEqual(['aaa.lease']);
  });

  test('is challenged anew, with another value', () => {
    lcpOpened();
    const before = link.context<AuthContext>('auth/1').challenge;
    lcpAgain();
    expect(link.context<AuthContext>('auth/1').challenge).not.toEqual(before);
  });

  test('has five tries to get through, and no more time than they take', () => {
    lcpOpened();
    for (let tries = 1; tries < 5; tries += 1) expect(types(lcpAgain())).not.toContain('explain');
    const last = lcpAgain();
    expect(last).toContainEqual(
      expect.objectContaining({
        type: 'explain',
        note: expect.objectContaining({
          message: 'link ended: the client began again too often without getting through',
        }),
      }),
    );
    expect(link.state['auth/1']).toBeUndefined();
  });

  test('that got through may begin again as often as it likes', () => {
    lcpOpened();
    for (let times = 0; times < 12; times += 1) {
      authenticated();
      leased(false);
      networkOpened();
      expect(types(lcpAgain())).not.toContain('explain');
    }
  });
});
