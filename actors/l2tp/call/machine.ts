import type { Stamped } from '@culvert/kernel';
import { setup } from 'xstate';
import { CLOSE_STEP_MS, SETUP_MS } from '../limits.ts';
import { newTurn } from '../turn.ts';
import {
  closeLink,
  connected,
  disconnect,
  disconnectForFault,
  disconnectForSequence,
  disconnectForSilence,
  leave,
  noteCDN,
  noteEnd,
  refuse,
  refuseOutgoing,
  requestTunnel,
  sendICCN,
  sendICRP,
  sendICRQ,
  stopLink,
} from './actions.ts';
import {
  type CallContext,
  type CallEmitted,
  type CallEvent,
  type CallInput,
  type CallTurn,
  newCall,
} from './context.ts';

const SETUP = 'setup';
const CLOSE = 'close';

const rfc2661 = setup({
  types: {} as {
    context: CallContext;
    events: CallEvent;
    input: (CallInput & Omit<Stamped, 'type'>) | undefined;
    emitted: CallEmitted;
  },
});

const act = (work: (turn: CallTurn) => void) =>
  rfc2661.enqueueActions(({ context, event, enqueue }) => {
    const turn: CallTurn = newTurn(context, event);
    work(turn);
    enqueue.assign(turn.context);
    for (const effect of turn.emitted) enqueue.emit(effect);
    for (const timer of turn.timers) {
      enqueue.cancel(timer.id);
      if (timer.op === 'arm') enqueue.raise(timer.event, { id: timer.id, delay: timer.afterMs });
    }
  });

const arm = (id: string, afterMs: number, type: 'SetupTimeout' | 'CloseTimeout') =>
  act((turn) => {
    const { at, entropy } = turn.event;
    turn.timers.push({ op: 'arm', id, afterMs, event: { type, at, entropy } });
  });

const disarm = (id: string) => act((turn) => turn.timers.push({ op: 'disarm', id }));

/** Improper in every state in which there is a call: Send CDN, Clean up. */
const outgoing = {
  OCRQ: { target: 'over', actions: 'disconnectForSequence' },
  OCRP: { target: 'over', actions: 'disconnectForSequence' },
  OCCN: { target: 'over', actions: 'disconnectForSequence' },
} as const;

/** The same once PPP runs on the call, which then loses its link. */
const afterConnection = {
  ICRQ: { target: 'over', actions: ['disconnectForSequence', 'stopLink'] },
  ICRP: { target: 'over', actions: ['disconnectForSequence', 'stopLink'] },
  ICCN: { target: 'over', actions: ['disconnectForSequence', 'stopLink'] },
  OCRQ: { target: 'over', actions: ['disconnectForSequence', 'stopLink'] },
  OCRP: { target: 'over', actions: ['disconnectForSequence', 'stopLink'] },
  OCCN: { target: 'over', actions: ['disconnectForSequence', 'stopLink'] },
  Fault: { target: 'over', actions: ['disconnectForFault', 'stopLink'] },
  CDN: { target: 'over', actions: ['noteCDN', 'stopLink'] },
  TunnelGone: { target: 'over', actions: ['noteEnd', 'stopLink'] },
  SessionEnded: { target: 'over', actions: ['noteEnd', 'stopLink'] },
  Disconnect: { target: 'over', actions: 'disconnect' },
} as const;

/**
 * RFC 2661 §7.4, incoming calls at the LNS and at the LAC, and of §7.5 what a gateway without lines does:
 * it turns outgoing calls away. Its `idle` is our first state and, as `over`, the end of every call.
 */
export const callMachine = rfc2661
  .extend({
    actions: {
      sendICRQ: act(sendICRQ),
      sendICRP: act(sendICRP),
      sendICCN: act(sendICCN),
      connected: act(connected),
      refuse: act(refuse),
      refuseOutgoing: act(refuseOutgoing),
      disconnect: act(disconnect),
      disconnectForSequence: act(disconnectForSequence),
      disconnectForFault: act(disconnectForFault),
      disconnectForSilence: act(disconnectForSilence),
      noteCDN: act(noteCDN),
      noteEnd: act(noteEnd),
      closeLink: act(closeLink),
      stopLink: act(stopLink),
      leave: act(leave),
      requestTunnel: act(requestTunnel),
      armSetup: arm(SETUP, SETUP_MS, 'SetupTimeout'),
      armClose: arm(CLOSE, CLOSE_STEP_MS, 'CloseTimeout'),
      disarmSetup: disarm(SETUP),
      disarmClose: disarm(CLOSE),
    },
    guards: {
      acceptable: ({ context, event }) =>
        context.role === 'lns' && event.type === 'ICRQ' && event.refuse === undefined,
    },
  })
  .createMachine({
    id: 'call',
    context: newCall,
    initial: 'idle',
    on: { WEN: {}, SLI: {} },
    states: {
      idle: {
        on: {
          ICRQ: [
            { guard: 'acceptable', target: 'waitConnect', actions: 'sendICRP' },
            { target: 'over', actions: 'refuse' },
          ],
          ICRP: { target: 'over', actions: 'disconnectForSequence' },
          OCRP: { target: 'over', actions: 'disconnectForSequence' },
          OCRQ: { target: 'over', actions: 'refuseOutgoing' },
          Fault: { target: 'over', actions: 'disconnectForFault' },
          ICCN: 'over',
          OCCN: 'over',
          CDN: 'over',
          LocalOpen: { target: 'waitTunnel', actions: 'requestTunnel' },
        },
      },
      waitTunnel: {
        on: {
          TunnelOpen: { target: 'waitReply', actions: 'sendICRQ' },
          Close: 'over',
          Disconnect: 'over',
          TunnelGone: 'over',
          SessionEnded: 'over',
        },
      },
      waitReply: {
        entry: 'armSetup',
        exit: 'disarmSetup',
        on: {
          ICRP: { target: 'established', actions: ['sendICCN', 'connected'] },
          ICRQ: { target: 'over', actions: 'disconnectForSequence' },
          ICCN: 'over',
          CDN: { target: 'over', actions: 'noteCDN' },
          Fault: { target: 'over', actions: 'disconnectForFault' },
          ...outgoing,
          Close: { target: 'over', actions: 'disconnect' },
          Disconnect: { target: 'over', actions: 'disconnect' },
          SetupTimeout: { target: 'over', actions: 'disconnectForSilence' },
          TunnelGone: 'over',
          SessionEnded: 'over',
        },
      },
      waitConnect: {
        entry: 'armSetup',
        exit: 'disarmSetup',
        on: {
          ICCN: { target: 'established', actions: 'connected' },
          ICRQ: { target: 'over', actions: 'disconnectForSequence' },
          ICRP: { target: 'over', actions: 'disconnectForSequence' },
          CDN: { target: 'over', actions: 'noteCDN' },
          Fault: { target: 'over', actions: 'disconnectForFault' },
          ...outgoing,
          Close: { target: 'over', actions: 'disconnect' },
          Disconnect: { target: 'over', actions: 'disconnect' },
          SetupTimeout: { target: 'over', actions: 'disconnectForSilence' },
          TunnelGone: 'over',
          SessionEnded: 'over',
        },
      },
      established: {
        on: { ...afterConnection, Close: { target: 'closing', actions: ['noteEnd', 'closeLink'] } },
      },
      // PPP terminates its link first, for a while.
      closing: {
        entry: 'armClose',
        exit: 'disarmClose',
        on: {
          ...afterConnection,
          Close: {},
          CloseTimeout: { target: 'over', actions: ['disconnect', 'stopLink'] },
        },
      },
      over: { type: 'final', entry: 'leave' },
    },
  });
