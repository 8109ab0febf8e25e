import { protocols } from '@culvert/wire/ppp';
import { actions } from './actions.ts';
import { linking, newLink } from './context.ts';
import { AUTHENTICATIONS_MAX } from './limits.ts';

/**
 * The phases of RFC 1661 §3.2 for one call: Dead, Establish, Authenticate, Network, Terminate. It owns the
 * other machines of the call: begets them, hears their layers come and go, and takes them with it.
 */
export const link = linking
  .extend({
    guards: {
      lcp: ({ event }) => 'layer' in event && event.layer === 'lcp',
      /** The peer wants to end it, or LCP cannot go on: not a renegotiation. */
      lcpOver: ({ event }) =>
        event.type === 'LayerDown' &&
        event.layer === 'lcp' &&
        (event.cause === 'RTR' || event.cause === 'RXJ-'),
      mayAuthenticate: ({ context, event }) =>
        event.type === 'LayerUp' && event.layer === 'lcp' && context.fruitless < AUTHENTICATIONS_MAX,
      verifiable: ({ context, event }) =>
        event.type === 'Offered' && context.settings.methods.some((method) => event.methods.includes(method)),
      sameUser: ({ context, event }) =>
        event.type === 'Accepted' && (context.user === undefined || context.user === event.user),
      hasAddress: ({ event }) =>
        event.type === 'Leased' && (event.lease.ipv4 !== undefined || event.lease.ipv6 !== undefined),
      /** This was the last network protocol that was not finished. */
      lastNetwork: ({ context, event }) =>
        event.type === 'LayerFinished' &&
        Object.entries(context.networks).every(
          ([layer, state]) => layer === event.layer || state === 'finished',
        ),
      authenticationRejected: ({ event }) =>
        event.type === 'Rejected' && (event.protocol === protocols.pap || event.protocol === protocols.chap),
    },
    actions,
  })
  .createMachine({
    id: 'link',
    context: ({ input }) => newLink(input),
    initial: 'dead',
    on: {
      StopLink: { target: '.stopped', actions: 'conclude' },
      Identified: { actions: 'identify' },
      LayerStarted: {},
    },
    states: {
      dead: {
        on: {
          Start: { actions: ['askOffer', 'establishPhase'] },
          Offered: [
            { guard: 'verifiable', target: 'live', actions: ['establish', 'establishPhase'] },
            { target: 'ended', actions: 'conclude' },
          ],
          PhaseExpired: { target: 'ended', actions: 'conclude' },
          CloseLink: { target: 'ended', actions: 'conclude' },
        },
      },
      live: {
        initial: 'establish',
        on: {
          CloseLink: { target: 'terminate', actions: ['conclude', 'closeLcp'] },
          Failed: { target: 'terminate', actions: ['conclude', 'closeLcp'] },
          LifetimeExpired: { target: 'terminate', actions: ['conclude', 'closeLcp'] },
          PhaseExpired: { target: 'terminate', actions: ['conclude', 'closeLcp'] },
          LayerFinished: { guard: 'lcp', target: 'ended', actions: 'conclude' },
          LayerDown: [
            { guard: 'lcpOver', target: 'terminate', actions: ['conclude', 'dismissUpper'] },
            { guard: 'lcp', target: '.establish', actions: ['dismissUpper', 'establishPhase'] },
          ],
        },
        states: {
          establish: {
            on: {
              LayerUp: [
                {
                  guard: 'mayAuthenticate',
                  target: 'authenticate',
                  actions: ['authenticate', 'authenticatePhase'],
                },
                { guard: 'lcp', target: '#link.terminate', actions: ['conclude', 'closeLcp'] },
              ],
            },
          },
          authenticate: {
            initial: 'asking',
            on: {
              Refused: { target: '#link.terminate', actions: ['conclude', 'closeLcp'] },
              Rejected: {
                guard: 'authenticationRejected',
                target: '#link.terminate',
                actions: ['conclude', 'closeLcp'],
              },
            },
            states: {
              asking: {
                on: {
                  Accepted: [
                    { guard: 'sameUser', target: 'leasing', actions: 'accept' },
                    { target: '#link.terminate', actions: ['conclude', 'closeLcp'] },
                  ],
                },
              },
              // Only here: an address that was asked for before a renegotiation admits nobody.
              leasing: {
                on: {
                  Leased: [
                    {
                      guard: 'hasAddress',
                      target: '#link.live.network',
                      actions: ['admit', 'openNetworks', 'networkPhase'],
                    },
                    { target: '#link.terminate', actions: ['admit', 'conclude', 'closeLcp'] },
                  ],
                  // The password was right, so the peer hears that before it hears of the end.
                  Unleased: { target: '#link.terminate', actions: ['admit', 'conclude', 'closeLcp'] },
                },
              },
            },
          },
          network: {
            on: {
              LayerUp: { actions: 'networkUp' },
              LayerDown: [
                { guard: 'lcpOver', target: '#link.terminate', actions: ['conclude', 'dismissUpper'] },
                { guard: 'lcp', target: 'establish', actions: ['dismissUpper', 'establishPhase'] },
                { actions: 'networkDown' },
              ],
              LayerFinished: [
                { guard: 'lcp', target: '#link.ended', actions: 'conclude' },
                {
                  guard: 'lastNetwork',
                  target: '#link.terminate',
                  actions: ['networkFinished', 'conclude', 'closeLcp'],
                },
                { actions: 'networkFinished' },
              ],
              Unknown: { actions: 'rejectProtocol' },
              Rejected: { actions: 'passRejection' },
            },
          },
        },
      },
      // RFC 1661 §3.7: LCP says its farewell; then the call goes.
      terminate: {
        entry: 'leavePhase',
        on: {
          LayerDown: { guard: 'lcp', actions: 'dismissUpper' },
          LayerFinished: { guard: 'lcp', target: 'ended' },
        },
      },
      ended: { type: 'final', entry: ['release', 'disconnect'] },
      stopped: { type: 'final', entry: 'release' },
    },
  });
