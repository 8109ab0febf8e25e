import * as actions from './actions.ts';
import { newContext } from './context.ts';

/**
 * One Quick Mode and the pair of IPsec SAs that it makes: RFC 2409 §5.5, RFC 3193. A rekey is another
 * machine of this kind; both stand until the peer deletes the old SAs or they expire.
 *
 *      Initiator                                          Responder
 *      HDR*, HASH(1), SA, Ni [, KE], IDci, IDcr    -->                     idle -> (agreeing) -> answered
 *                                                  <--    HDR*, HASH(2), SA, Nr [, KE], IDci, IDcr
 *      HDR*, HASH(3)                               -->                     established
 */
export const quickMode = actions.quickModeSetup
  .extend({
    actions: {
      adopt: actions.adopt,
      agree: actions.agree,
      sendQm2: actions.sendQm2,
      confirm: actions.confirm,
      repeat: actions.repeat,
      joinSession: actions.joinSession,
      leaveSession: actions.leaveSession,
      armAgreeing: actions.armThird,
      armThird: actions.armThird,
      disarmThird: actions.disarmThird,
      armLifetime: actions.armLifetime,
      disarmLifetime: actions.disarmLifetime,
      reportUp: actions.reportUp,
      reportBadKey: actions.reportBadKey,
      announceDelete: actions.announceDelete,
      down: actions.down,
    },
    guards: { withPfs: ({ event }) => event.type === 'QM1' && event.publicValue !== undefined },
  })
  .createMachine({
    id: 'quickMode',
    context: ({ input }) => newContext(input),
    initial: 'idle',
    states: {
      idle: {
        on: {
          QM1: [
            { guard: 'withPfs', target: 'agreeing', actions: ['adopt', 'joinSession', 'agree'] },
            { target: 'up.answered', actions: ['adopt', 'joinSession', 'sendQm2'] },
          ],
          DROP: 'gone',
        },
      },
      /** A crash loses the job but not the machine: then the timer ends what nothing else would. */
      agreeing: {
        entry: 'armAgreeing',
        exit: 'disarmThird',
        on: {
          'DH+': { target: 'up.answered', actions: 'sendQm2' },
          'DH-': { target: 'gone', actions: ['reportBadKey', 'leaveSession'] },
          UNCONFIRMED: { target: 'gone', actions: 'leaveSession' },
          DROP: { target: 'gone', actions: 'leaveSession' },
        },
      },
      /** The SAs are installed: inbound at once, outbound when the peer is first heard on them. */
      up: {
        entry: 'armLifetime',
        exit: 'disarmLifetime',
        on: {
          DUPLICATE: { actions: 'repeat' },
          DELETED: { target: 'gone', actions: 'down' },
          DROP: { target: 'gone', actions: 'down' },
          CROWDED: { target: 'gone', actions: ['announceDelete', 'down'] },
          LIFETIME: { target: 'gone', actions: ['announceDelete', 'down'] },
        },
        initial: 'answered',
        states: {
          answered: {
            entry: 'armThird',
            exit: 'disarmThird',
            on: {
              QM3: { target: 'established', actions: ['confirm', 'reportUp'] },
              // A lost third message is not repeated by the initiator; traffic on the SA proves as much.
              UNCONFIRMED: { target: 'established', actions: 'reportUp' },
            },
          },
          established: { on: { QM3: { actions: 'confirm' } } },
        },
      },
      gone: { type: 'final' },
    },
  });
