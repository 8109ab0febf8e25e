import { newContext } from './context.ts';
import * as established from './established.ts';
import * as mainMode from './main-mode.ts';
import { isakmpSaSetup } from './setup.ts';

/**
 * The responder's half of Main Mode with a pre-shared key, and the ISAKMP SA that comes of it: RFC 2409
 * §5.4. It sends nothing by itself before MM5 has proved the peer; a lost answer is repeated only for a
 * duplicate of its question.
 *
 *      Initiator                        Responder
 *      HDR, SA              -->                          idle -> mm2Sent
 *                           <--         HDR, SA
 *      HDR, KE, Ni          -->                          agreeing -> mm4Sent
 *                           <--         HDR, KE, Nr
 *      HDR*, IDii, HASH_I   -->                          admitting -> established
 *                           <--         HDR*, IDir, HASH_R
 */
export const isakmpSa = isakmpSaSetup.extend({ actions: { ...mainMode, ...established } }).createMachine({
  id: 'isakmpSa',
  context: ({ input }) => newContext(input),
  initial: 'idle',
  states: {
    idle: {
      on: {
        'SA+': { target: 'halfOpen.mm2Sent', actions: 'sendMm2' },
        'SA-': { target: 'refused', actions: 'refuse' },
        CLOSE: 'gone',
        DROP: 'gone',
      },
    },
    /** Nothing here is durable: after a crash the client starts again. */
    halfOpen: {
      entry: 'armHalfOpen',
      exit: 'disarmHalfOpen',
      on: {
        DUPLICATE: { actions: 'repeat' },
        'HALF-OPEN': { target: 'gone', actions: 'reportHalfOpen' },
        CLOSE: 'gone',
        DROP: 'gone',
      },
      initial: 'mm2Sent',
      states: {
        mm2Sent: { on: { KE: { target: 'agreeing', actions: 'agree' } } },
        agreeing: {
          on: {
            'DH+': { target: 'mm4Sent', actions: 'sendMm4' },
            'DH-': { target: '#isakmpSa.refused', actions: 'refuseKey' },
          },
        },
        mm4Sent: {
          on: {
            'AUTH+': { target: 'admitting', actions: 'admit' },
            'AUTH-': { actions: 'reportMismatch' },
          },
        },
        admitting: { on: { ADMITTED: { target: '#isakmpSa.established', actions: 'sendMm6' } } },
      },
    },
    established: {
      entry: 'armLifetime',
      exit: 'disarmLifetime',
      on: {
        DUPLICATE: { actions: 'repeat' },
        MOVED: { actions: 'move' },
        'QM-': { actions: 'refuseQuickMode' },
        SEND: { actions: 'send' },
        'INITIAL-CONTACT': { actions: 'contact' },
        DELETED: { target: 'gone', actions: 'reportDeleted' },
        CLOSE: { target: 'gone', actions: ['sendDelete', 'reportDeleted'] },
        DROP: { target: 'gone', actions: 'reportDeleted' },
        DEAD: { target: 'gone', actions: 'reportDead' },
        LIFETIME: { target: 'gone', actions: ['sendDelete', 'reportExpired'] },
      },
    },
    /** Kept for as long as a half-open SA, so that duplicates get the same answer and no second line is written. */
    refused: {
      entry: 'armHalfOpen',
      exit: 'disarmHalfOpen',
      on: {
        DUPLICATE: { actions: 'repeat' },
        'HALF-OPEN': 'gone',
        CLOSE: 'gone',
        DROP: 'gone',
      },
    },
    gone: { type: 'final' },
  },
});
