import { cancel } from 'xstate';
import { type AutomatonContext, actions, RESTART, rfc1661 } from './actions.ts';
import { AUTOMATON_LIMITS } from './limits.ts';

/**
 * RFC 1661 §4.1: the option negotiation automaton of LCP and of every NCP. The ten states and the actions
 * bear the names of the table; an event that a state does not list is one the table marks illegal.
 */
export const automaton = rfc1661
  .extend({
    guards: {
      /** TO+; otherwise the timeout is TO-. */
      retriesLeft: ({ context }) => context.restartCounter > 0,
    },
    actions,
  })
  .createMachine({
    id: 'automaton',
    context: ({ input }): AutomatonContext => ({
      owner: input?.owner ?? '',
      layer: input?.layer ?? 'lcp',
      call: input?.call ?? 0,
      protocol: input?.protocol ?? 0,
      limits: input?.limits ?? AUTOMATON_LIMITS,
      request: input?.request ?? [],
      refused: [],
      identifier: 0,
      requestIdentifier: 0,
      restartCounter: 0,
      periodMs: 0,
      failures: 0,
      ours: [],
      theirs: [],
      closeText: '',
    }),
    initial: 'initial',
    on: { Dismiss: '.dismissed' },
    states: {
      initial: { on: { Up: 'closed', Open: { target: 'starting', actions: 'tls' }, Close: {} } },
      starting: {
        on: {
          Up: { target: 'timed.reqSent', actions: ['irc', 'scr'] },
          Open: {},
          Close: { target: 'initial', actions: ['closing', 'tlf'] },
        },
      },
      closed: {
        on: {
          Down: 'initial',
          Open: { target: 'timed.reqSent', actions: ['irc', 'scr'] },
          Close: {},
          'RCR+': { actions: 'sta' },
          'RCR-': { actions: 'sta' },
          RCA: { actions: 'sta' },
          RCN: { actions: 'sta' },
          RTR: { actions: 'sta' },
          RTA: {},
          RUC: { actions: 'scj' },
          'RXJ+': {},
          'RXJ-': { actions: 'tlf' },
          RXR: {},
        },
      },
      stopped: {
        on: {
          Down: { target: 'starting', actions: 'tls' },
          Open: {},
          Close: { target: 'closed', actions: 'closing' },
          'RCR+': { target: 'timed.ackSent', actions: ['irc', 'scr', 'sca'] },
          'RCR-': { target: 'timed.reqSent', actions: ['irc', 'scr', 'scn'] },
          RCA: { actions: 'sta' },
          RCN: { actions: 'sta' },
          RTR: { actions: 'sta' },
          RTA: {},
          RUC: { actions: 'scj' },
          'RXJ+': {},
          'RXJ-': { actions: 'tlf' },
          RXR: {},
        },
      },
      // The five states in which the Restart timer runs; leaving them stops it.
      timed: {
        exit: cancel(RESTART),
        on: {
          Down: 'starting',
          Open: {},
          Close: { target: '.closing', actions: ['closing', 'ircTerminate', 'str'] },
          RUC: { actions: 'scj' },
          'RXJ+': {},
          'RXJ-': { target: 'stopped', actions: 'tlf' },
          RXR: {},
        },
        states: {
          closing: {
            on: {
              Down: '#automaton.initial',
              Open: 'stopping',
              Close: {},
              TO: [
                { guard: 'retriesLeft', actions: 'str' },
                { target: '#automaton.closed', actions: 'tlf' },
              ],
              'RCR+': {},
              'RCR-': {},
              RCA: {},
              RCN: {},
              RTR: { actions: 'sta' },
              RTA: { target: '#automaton.closed', actions: 'tlf' },
              'RXJ-': { target: '#automaton.closed', actions: 'tlf' },
            },
          },
          stopping: {
            on: {
              Close: { target: 'closing', actions: 'closing' },
              TO: [
                { guard: 'retriesLeft', actions: 'str' },
                { target: '#automaton.stopped', actions: 'tlf' },
              ],
              'RCR+': {},
              'RCR-': {},
              RCA: {},
              RCN: {},
              RTR: { actions: 'sta' },
              RTA: { target: '#automaton.stopped', actions: 'tlf' },
            },
          },
          reqSent: {
            on: {
              TO: [
                { guard: 'retriesLeft', actions: 'scr' },
                { target: '#automaton.stopped', actions: 'tlf' },
              ],
              'RCR+': { target: 'ackSent', actions: 'sca' },
              'RCR-': { actions: 'scn' },
              RCA: { target: 'ackRcvd', actions: ['irc', 'granted'] },
              RCN: { actions: ['adopt', 'irc', 'scr'] },
              RTR: { actions: 'sta' },
              RTA: {},
            },
          },
          ackRcvd: {
            on: {
              TO: [
                { guard: 'retriesLeft', target: 'reqSent', actions: 'scr' },
                { target: '#automaton.stopped', actions: 'tlf' },
              ],
              'RCR+': { target: '#automaton.opened', actions: ['sca', 'tlu'] },
              'RCR-': { actions: 'scn' },
              RCA: { target: 'reqSent', actions: 'scr' },
              RCN: { target: 'reqSent', actions: ['adopt', 'scr'] },
              RTR: { target: 'reqSent', actions: 'sta' },
              RTA: 'reqSent',
              'RXJ+': 'reqSent',
            },
          },
          ackSent: {
            on: {
              TO: [
                { guard: 'retriesLeft', actions: 'scr' },
                { target: '#automaton.stopped', actions: 'tlf' },
              ],
              'RCR+': { actions: 'sca' },
              'RCR-': { target: 'reqSent', actions: 'scn' },
              RCA: { target: '#automaton.opened', actions: ['irc', 'granted', 'tlu'] },
              RCN: { actions: ['adopt', 'irc', 'scr'] },
              RTR: { target: 'reqSent', actions: 'sta' },
              RTA: {},
            },
          },
        },
        initial: 'reqSent',
      },
      opened: {
        on: {
          Down: { target: 'starting', actions: 'tld' },
          Open: {},
          Close: { target: 'timed.closing', actions: ['closing', 'tld', 'ircTerminate', 'str'] },
          'RCR+': { target: 'timed.ackSent', actions: ['tld', 'scr', 'sca'] },
          'RCR-': { target: 'timed.reqSent', actions: ['tld', 'scr', 'scn'] },
          RCA: { target: 'timed.reqSent', actions: ['tld', 'scr'] },
          RCN: { target: 'timed.reqSent', actions: ['adopt', 'tld', 'scr'] },
          RTR: { target: 'timed.stopping', actions: ['tld', 'zrc', 'sta'] },
          RTA: { target: 'timed.reqSent', actions: ['tld', 'scr'] },
          RUC: { actions: 'scj' },
          'RXJ+': {},
          'RXJ-': { target: 'timed.stopping', actions: ['tld', 'ircTerminate', 'str'] },
          RXR: { actions: 'ser' },
        },
      },
      dismissed: { type: 'final' },
    },
  });
