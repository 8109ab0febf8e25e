import * as actions from './actions.ts';
import { newContext } from './context.ts';

/**
 * What holds a client's SAs together (charter 6): the session lives as long as it has an IPsec SA, however
 * many ISAKMP SAs come and go, and it is taken down in order: PPP and L2TP first, then the SAs.
 */
export const session = actions.sessionSetup
  .extend({
    actions: {
      note: actions.note,
      announce: actions.announce,
      arm: actions.arm,
      armClosing: actions.armClosing,
      disarm: actions.disarm,
      askClose: actions.askClose,
      takeDown: actions.takeDown,
      drop: actions.drop,
      tellEnded: actions.tellEnded,
      because: actions.because,
    },
    guards: {
      lastIpsec: ({ context, event }) =>
        event.type === 'IPSEC-DOWN' && context.ipsecSas.every((sa) => sa.id === event.id),
      peerLost: ({ context, event }) =>
        event.type === 'ISAKMP-DOWN' && event.silent && context.isakmpSas.every((id) => id === event.id),
      lastIsakmp: ({ context, event }) =>
        event.type === 'ISAKMP-DOWN' && context.isakmpSas.every((id) => id === event.id),
      unknownToL2tp: ({ event }) => event.type === 'TOLD' && !event.known,
    },
  })
  .createMachine({
    id: 'session',
    context: () => newContext(),
    on: {
      'ISAKMP-UP': { actions: 'note' },
      'ISAKMP-DOWN': { actions: 'note' },
      'IPSEC-UP': { actions: 'note' },
      'IPSEC-DOWN': { actions: 'note' },
      'ANNOUNCE-DELETE': { actions: 'announce' },
    },
    initial: 'forming',
    states: {
      /** No IPsec SA yet. */
      forming: {
        entry: 'arm',
        exit: 'disarm',
        on: {
          'IPSEC-UP': { target: 'tunnelAwaited', actions: 'note' },
          'ISAKMP-DOWN': [{ guard: 'lastIsakmp', target: 'gone', actions: 'note' }, { actions: 'note' }],
          CLOSE: { target: 'gone', actions: ['because', 'takeDown'] },
          SUPERSEDED: { target: 'gone', actions: ['because', 'drop'] },
          AWAITED: { target: 'gone', actions: ['because', 'takeDown'] },
        },
      },
      tunnelAwaited: {
        entry: 'arm',
        exit: 'disarm',
        on: {
          'TUNNEL-OPENED': 'open',
          'IPSEC-DOWN': [
            { guard: 'lastIpsec', target: 'gone', actions: ['because', 'note', 'takeDown', 'tellEnded'] },
            { actions: 'note' },
          ],
          'ISAKMP-DOWN': [
            { guard: 'peerLost', target: 'gone', actions: ['because', 'note', 'drop', 'tellEnded'] },
            { actions: 'note' },
          ],
          CLOSE: { target: 'gone', actions: ['because', 'takeDown', 'tellEnded'] },
          SUPERSEDED: { target: 'gone', actions: ['because', 'drop', 'tellEnded'] },
          AWAITED: { target: 'gone', actions: ['because', 'takeDown', 'tellEnded'] },
        },
      },
      open: {
        on: {
          'TUNNEL-CLOSED': 'tunnelAwaited',
          'IPSEC-DOWN': [
            { guard: 'lastIpsec', target: 'gone', actions: ['because', 'note', 'takeDown', 'tellEnded'] },
            { actions: 'note' },
          ],
          'ISAKMP-DOWN': [
            { guard: 'peerLost', target: 'gone', actions: ['because', 'note', 'drop', 'tellEnded'] },
            { actions: 'note' },
          ],
          CLOSE: { target: 'closing', actions: ['because', 'askClose'] },
          SUPERSEDED: { target: 'gone', actions: ['because', 'drop', 'tellEnded'] },
        },
      },
      /** l2tp sends its StopCCN through our SAs, which therefore stand until it is done. */
      closing: {
        entry: 'armClosing',
        exit: 'disarm',
        on: {
          'TUNNEL-CLOSED': { target: 'gone', actions: ['takeDown', 'tellEnded'] },
          TOLD: [{ guard: 'unknownToL2tp', target: 'gone', actions: ['takeDown', 'tellEnded'] }, {}],
          'IPSEC-DOWN': [
            { guard: 'lastIpsec', target: 'gone', actions: ['note', 'takeDown', 'tellEnded'] },
            { actions: 'note' },
          ],
          SUPERSEDED: { target: 'gone', actions: ['drop', 'tellEnded'] },
          'GIVE-UP': { target: 'gone', actions: ['takeDown', 'tellEnded'] },
        },
      },
      gone: { type: 'final' },
    },
  });
