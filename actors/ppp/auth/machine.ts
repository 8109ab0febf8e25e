import { cancel } from 'xstate';
import { type AuthContext, actions, authentication, CHALLENGE, VERDICT } from './actions.ts';
import { CHALLENGES_MAX, VERDICTS_MAX } from './limits.ts';

/**
 * The authenticator's side of PAP (RFC 1334), CHAP (RFC 1994) and MS-CHAPv2 (RFC 2759). It proves nothing
 * about itself and believes no verdict of the peer: there is no event for one. One attempt per link phase.
 */
export const auth = authentication
  .extend({
    guards: {
      accepted: ({ context, event }) =>
        event.type === 'Verified' && event.attempt === context.attempt && event.verdict.accepted,
      refused: ({ context, event }) =>
        event.type === 'Verified' && event.attempt === context.attempt && !event.verdict.accepted,
      reflected: ({ event }) => event.type === 'Responded' && event.reflected,
      /** RFC 1994 §4.1: a Response must name the outstanding Challenge. */
      answersChallenge: ({ context, event }) =>
        event.type === 'Responded' &&
        event.shown.method === context.method &&
        event.identifier === context.identifier,
      pap: ({ context }) => context.method === 'pap',
      verdictsLeft: ({ context }) => context.verdicts < VERDICTS_MAX,
      challengesLeft: ({ context }) => context.challenges < CHALLENGES_MAX,
    },
    actions,
  })
  .createMachine({
    id: 'auth',
    context: ({ input }): AuthContext => ({
      owner: input?.owner ?? '',
      call: input?.call ?? 0,
      callingStation: input?.callingStation ?? '',
      method: input?.method ?? 'ms-chap-v2',
      name: input?.name ?? '',
      identifier: 0,
      challenge: new Uint8Array(0),
      challenges: 0,
      verdicts: 0,
      attempt: input?.attempt ?? 0,
      user: '',
      policy: {},
    }),
    initial: 'idle',
    on: { Dismiss: '.dismissed' },
    states: {
      idle: { on: { Begin: { target: 'awaiting', actions: 'sendChallenge' } } },
      awaiting: {
        exit: cancel(CHALLENGE),
        on: {
          Requested: { guard: 'pap', target: 'verifying', actions: 'verify' },
          Responded: [
            { guard: 'reflected', target: 'refused', actions: 'refuse' },
            { guard: 'answersChallenge', target: 'verifying', actions: 'verify' },
          ],
          ChallengeExpired: [
            { guard: 'challengesLeft', actions: 'sendChallenge' },
            { target: 'refused', actions: 'giveUp' },
          ],
        },
      },
      verifying: {
        on: {
          Requested: { guard: 'pap', actions: 'noteIdentifier' },
          Responded: {},
          Verified: [
            { guard: 'accepted', target: 'admitting', actions: 'accept' },
            { guard: 'refused', target: 'refused', actions: 'refuse' },
          ],
        },
      },
      // The link fetches addresses, so that the peer's first IPCP packet finds us ready.
      admitting: {
        on: {
          Requested: { guard: 'pap', actions: 'noteIdentifier' },
          Responded: {},
          Admit: { target: 'succeeded', actions: ['sendReply', 'awaitHearing'] },
        },
      },
      // RFC 1994 §4.2, RFC 1334 §2.2.1: the verdict may have been lost, so a repetition gets it again. Not
      // every peer repeats its Response (pppd does not), so a Success is also repeated unasked.
      succeeded: {
        exit: cancel(VERDICT),
        on: {
          Confirmed: 'settled',
          VerdictUnheard: [
            { guard: 'verdictsLeft', actions: ['sendReply', 'awaitHearing'] },
            { target: 'settled' },
          ],
          Requested: { guard: 'pap', actions: ['noteIdentifier', 'sendReply'] },
          Responded: { guard: 'answersChallenge', actions: 'sendReply' },
        },
      },
      settled: {
        on: {
          Requested: { guard: 'pap', actions: ['noteIdentifier', 'sendReply'] },
          Responded: { guard: 'answersChallenge', actions: 'sendReply' },
        },
      },
      refused: {
        on: {
          Requested: { guard: 'pap', actions: ['noteIdentifier', 'sendReply'] },
          Responded: { guard: 'answersChallenge', actions: 'sendReply' },
        },
      },
      dismissed: { type: 'final' },
    },
  });
