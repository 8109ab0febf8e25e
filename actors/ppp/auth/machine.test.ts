import { restored, step } from '@culvert/kernel';
import { parseControlPacket, parseMsChapFailure, parseMsChapSuccess } from '@culvert/wire/ppp';
import { describe, expect, test } from 'vitest';
import type { AnyMachineSnapshot } from 'xstate';
import type { AuthContext } from './actions.ts';
import type { AuthEvent } from './events.ts';
import { auth } from './machine.ts';
import type { AuthMethod } from './proof.ts';

/**
 * Every state against every event. Left of the arrow what is emitted: `challenge`, `ask` (aaa), `yes` and
 * `no` (the verdict, to the peer), `accepted`, `refused` and `failed` (to the link). A dot: nothing happens.
 */
const CHAP_TABLE = `
  event            idle                awaiting            verifying           admitting      succeeded      refused     settled
  Begin            challenge>awaiting  .                   .                   .              .              .           .
  Requested        .                   .                   .                   .              .              .           .
  Responded        .                   ask>verifying       .                   .              yes>succeeded  no>refused  yes>settled
  Responded-stale  .                   .                   .                   .              .              .           .
  Responded-md5    .                   .                   .                   .              .              .           .
  Reflected        .                   no,refused>refused  .                   .              yes>succeeded  no>refused  yes>settled
  Verified+        .                   .                   accepted>admitting  .              .              .           .
  Verified-        .                   .                   no,refused>refused  .              .              .           .
  Verified-stale   .                   .                   .                   .              .              .           .
  Admit            .                   .                   .                   yes>succeeded  .              .           .
  Expired          .                   challenge>awaiting  .                   .              .              .           .
  Expired-last     .                   failed>refused      .                   .              .              .           .
  Confirmed        .                   .                   .                   .              >settled       .           .
  Unheard          .                   .                   .                   .              yes>succeeded  .           .
  Unheard-last     .                   .                   .                   .              >settled       .           .
  Dismiss          >dismissed          >dismissed          >dismissed          >dismissed     >dismissed     >dismissed  >dismissed
`;

const PAP_TABLE = `
  event            idle        awaiting       verifying           admitting      succeeded      refused     settled
  Begin            >awaiting   .              .                   .              .              .           .
  Requested        .           ask>verifying  >verifying          >admitting     yes>succeeded  no>refused  yes>settled
  Responded        .           .              .                   .              .              .           .
  Responded-stale  .           .              .                   .              .              .           .
  Verified+        .           .              accepted>admitting  .              .              .           .
  Verified-        .           .              no,refused>refused  .              .              .           .
  Verified-stale   .           .              .                   .              .              .           .
  Admit            .           .              .                   yes>succeeded  .              .           .
  Confirmed        .           .              .                   .              >settled       .           .
  Unheard          .           .              .                   .              yes>succeeded  .           .
  Unheard-last     .           .              .                   .              >settled       .           .
  Dismiss          >dismissed  >dismissed     >dismissed          >dismissed     >dismissed     >dismissed  >dismissed
`;

const IDENTIFIER = 7;
const CHALLENGE = new Uint8Array(16).fill(0xc4);
const stamp = { at: 0, entropy: new Uint8Array(32).fill(9) };
const shown = {
  method: 'ms-chap-v2',
  peerChallenge: new Uint8Array(16).fill(1),
  ntResponse: new Uint8Array(24).fill(2),
} as const;
const responded = {
  type: 'Responded',
  identifier: IDENTIFIER,
  user: 'alice',
  shown,
  reflected: false,
} as const;
const verdict = {
  accepted: true,
  user: 'alice',
  authenticatorResponse: 'S=407A5589115FD0D6209F510FE9C04566932CDA56',
  policy: {},
} as const;

const EVENTS: Readonly<Record<string, AuthEvent>> = {
  Begin: { type: 'Begin' },
  Requested: { type: 'Requested', identifier: 9, user: 'alice', sealedPassword: new Uint8Array(3) },
  Responded: responded,
  'Responded-stale': { ...responded, identifier: IDENTIFIER - 1 },
  'Responded-md5': { ...responded, shown: { method: 'chap-md5', response: new Uint8Array(16) } },
  Reflected: { ...responded, reflected: true },
  'Verified+': { type: 'Verified', attempt: 1, verdict },
  'Verified-': { type: 'Verified', attempt: 1, verdict: { accepted: false, reason: 'wrong-password' } },
  'Verified-stale': { type: 'Verified', attempt: 0, verdict },
  Admit: { type: 'Admit' },
  Expired: { type: 'ChallengeExpired' },
  'Expired-last': { type: 'ChallengeExpired' },
  Confirmed: { type: 'Confirmed' },
  Unheard: { type: 'VerdictUnheard' },
  'Unheard-last': { type: 'VerdictUnheard' },
  Dismiss: { type: 'Dismiss' },
};

type Effect = { type: string; event?: { type: string }; protocol?: number; information?: Uint8Array };

function at(state: string, method: AuthMethod, challenges: number, verdicts = 1): AnyMachineSnapshot {
  const verdictCode = state === 'refused' ? (method === 'pap' ? 3 : 4) : method === 'pap' ? 2 : 3;
  const settled =
    state === 'refused' || state === 'succeeded' || state === 'settled' || state === 'admitting';
  const context: AuthContext = {
    owner: 'link/1',
    call: 1,
    callingStation: '198.51.100.7',
    method,
    name: 'culvert',
    identifier: IDENTIFIER,
    challenge: CHALLENGE,
    challenges,
    verdicts,
    attempt: 1,
    user: 'alice',
    policy: {},
    ...(settled && { reply: { code: verdictCode, data: new Uint8Array(0) } }),
  };
  return restored(auth, { value: state, context: { ...context } });
}

function nameOf(effect: Effect): string {
  if (effect.type === 'tell') return (effect.event?.type ?? '').toLowerCase();
  if (effect.type === 'aaa.authenticate') return 'ask';
  const packet = parseControlPacket(effect.information ?? new Uint8Array(0));
  const code = packet.ok ? packet.value.code : 0;
  if (effect.protocol === 0xc023) return code === 2 ? 'yes' : code === 3 ? 'no' : `code ${code}`;
  return code === 1 ? 'challenge' : code === 3 ? 'yes' : code === 4 ? 'no' : `code ${code}`;
}

function play(state: string, name: string, method: AuthMethod) {
  const before = at(state, method, name === 'Expired-last' ? 10 : 1, name === 'Unheard-last' ? 5 : 1);
  const event = EVENTS[name];
  if (event === undefined) throw new Error(`no event ${name}`);
  return {
    before,
    after: step<typeof auth, Effect>(auth, before as never, { ...event, ...stamp } as AuthEvent),
  };
}

for (const [method, table] of [
  ['ms-chap-v2', CHAP_TABLE],
  ['pap', PAP_TABLE],
] as const) {
  const [[, ...head] = [], ...rows] = table
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/));
  describe(`authenticator, ${method}`, () => {
    for (const [name = '', ...row] of rows) {
      for (const [column, cell] of row.entries()) {
        const state = head[column] ?? '';
        test(`${name} in ${state}: ${cell}`, () => {
          const { before, after } = play(state, name, method);
          if (cell === '.') {
            expect(after.snapshot).toBe(before);
            expect(after.effects).toEqual([]);
            expect(after.timers).toEqual([]);
            return;
          }
          const [emitted = '', target] = cell.split('>');
          expect(after.snapshot.value).toBe(target);
          expect(after.effects.map(nameOf).join(',')).toBe(emitted);
        });
      }
    }
  });
}

describe('RFC 1994 §4.1', () => {
  test('Identifier and Challenge are new each time, and the Restart timer backs off', () => {
    const first = step<typeof auth, Effect>(auth, at('idle', 'chap-md5', 0) as never, {
      type: 'Begin',
      ...stamp,
    });
    const other = { at: 1, entropy: new Uint8Array(32).fill(8) };
    const second = step<typeof auth, Effect>(auth, first.snapshot, {
      type: 'ChallengeExpired',
      ...other,
    } as AuthEvent);
    const [a, b] = [first, second].map((one) => one.snapshot.context as AuthContext);
    expect(b?.identifier).toBe((a?.identifier ?? 0) + 1);
    expect(b?.challenge).not.toEqual(a?.challenge);
    expect(first.timers.at(-1)).toMatchObject({ op: 'arm', id: 'challenge', afterMs: 3_000 });
    expect(second.timers.at(-1)).toMatchObject({ op: 'arm', id: 'challenge', afterMs: 6_000 });
  });

  test('an answered Challenge stops the timer', () => {
    const { after } = play('awaiting', 'Responded', 'ms-chap-v2');
    expect(after.timers).toEqual([{ op: 'disarm', id: 'challenge' }]);
  });
});

describe('what the peer and aaa are told', () => {
  const informationOf = (effects: readonly Effect[]) => {
    const packet = parseControlPacket(
      effects.find((effect) => effect.type === 'frame.send')?.information ?? new Uint8Array(0),
    );
    if (!packet.ok) throw new Error(packet.reason);
    return packet.value;
  };

  test('RFC 2759 §6: E=691 R=0 with a challenge of its own', () => {
    const packet = informationOf(play('verifying', 'Verified-', 'ms-chap-v2').after.effects);
    const failure = parseMsChapFailure(packet.data);
    expect(failure).toMatchObject({ ok: true, value: { error: 691, retry: false, version: 3 } });
    expect(failure.ok && failure.value.challenge).not.toEqual(CHALLENGE);
    expect(packet.identifier).toBe(IDENTIFIER);
  });

  test('RFC 2759 §5: the authenticator response goes out only when the link admits', () => {
    const accepted = play('verifying', 'Verified+', 'ms-chap-v2').after;
    expect(accepted.effects.every((effect) => effect.type === 'tell')).toBe(true);
    const admitted = step<typeof auth, Effect>(auth, accepted.snapshot as never, { type: 'Admit', ...stamp });
    const success = parseMsChapSuccess(informationOf(admitted.effects).data);
    expect(success).toMatchObject({
      ok: true,
      value: { authenticatorResponse: verdict.authenticatorResponse },
    });
  });

  test('aaa gets the challenge that was sent', () => {
    const { effects } = play('awaiting', 'Responded', 'ms-chap-v2').after;
    expect(effects).toMatchObject([
      { type: 'aaa.authenticate', attempt: 1, user: 'alice', proof: { authenticatorChallenge: CHALLENGE } },
    ]);
  });

  test('a repeated PAP request is answered under its own Identifier', () => {
    expect(informationOf(play('succeeded', 'Requested', 'pap').after.effects)).toMatchObject({
      code: 2,
      identifier: 9,
    });
  });
});
