import type { Stamped } from '@culvert/kernel';
import { setup } from 'xstate';
import { CLOSE_STEP_MS, EMPTY_TUNNEL_MS, RETRANSMISSION_CYCLE_MS, SETUP_MS } from '../limits.ts';
import { newTurn } from '../turn.ts';
import { admit, closeCalls, enlist, forget, route } from './calls.ts';
import {
  newTunnel,
  type TunnelContext,
  type TunnelEmitted,
  type TunnelInput,
  type TunnelTurn,
} from './context.ts';
import {
  lost,
  open,
  refusalOf,
  refuse,
  reportClosed,
  sendSCCCN,
  sendSCCRP,
  sendSCCRQ,
  stopForClose,
  stopForEmptiness,
  stopForFault,
  stopForSequence,
  stopForSilence,
  stopped,
  superseded,
} from './control.ts';
import type { TunnelEvent } from './events.ts';
import { armIdle, askActivity, considerHello, doubt, IDLE, isAlive, isDead } from './keepalive.ts';
import { acknowledgeNow, hear, parkHello, relay, resume, retransmit } from './transport.ts';

const SETUP = 'setup';
const EMPTY = 'empty';
const CLOSE = 'close';
const LINGER = 'linger';

const rfc2661 = setup({
  types: {} as {
    context: TunnelContext;
    events: TunnelEvent;
    input: (TunnelInput & Omit<Stamped, 'type'>) | undefined;
    emitted: TunnelEmitted;
  },
});

/** Runs a plain action, then hands what it asks for to XState. */
const act = (work: (turn: TunnelTurn) => void) =>
  rfc2661.enqueueActions(({ context, event, enqueue }) => {
    const turn: TunnelTurn = newTurn(context, event);
    work(turn);
    enqueue.assign(turn.context);
    for (const effect of turn.emitted) enqueue.emit(effect);
    for (const timer of turn.timers) {
      enqueue.cancel(timer.id);
      if (timer.op === 'arm') enqueue.raise(timer.event, { id: timer.id, delay: timer.afterMs });
    }
    for (const raised of turn.raised) enqueue.raise(raised);
  });

const arm = (
  id: string,
  afterMs: number,
  type: 'SetupTimeout' | 'EmptyTimeout' | 'CloseTimeout' | 'LingerTimeout',
) =>
  act((turn) => {
    const { at, entropy } = turn.event;
    turn.timers.push({ op: 'arm', id, afterMs, event: { type, at, entropy } });
  });

const disarm = (id: string) => act((turn) => turn.timers.push({ op: 'disarm', id }));

/**
 * RFC 2661 §7.2.1. Its `idle` is our first state and also where every tunnel ends; since a stopped tunnel
 * must go on delivering and acknowledging (§5.7, §5.8), the way there leads through `stopping` and
 * `lingering`. A datagram first passes the reliable delivery and then becomes the event named after it.
 */
export const tunnelMachine = rfc2661
  .extend({
    actions: {
      hear: act(hear),
      relay: act(relay),
      retransmit: act(retransmit),
      acknowledgeNow: act(acknowledgeNow),
      resume: act(resume),
      sendSCCRQ: act(sendSCCRQ),
      sendSCCRP: act(sendSCCRP),
      sendSCCCN: act(sendSCCCN),
      open: act(open),
      refuse: act(refuse),
      stopForSequence: act(stopForSequence),
      stopForFault: act(stopForFault),
      stopForClose: act(stopForClose),
      stopForSilence: act(stopForSilence),
      stopForEmptiness: act(stopForEmptiness),
      stopped: act(stopped),
      lost: act(lost),
      superseded: act(superseded),
      reportClosed: act(reportClosed),
      route: act(route),
      enlist: act(enlist),
      admit: act(admit),
      forget: act(forget),
      closeCalls: act(closeCalls),
      armIdle: act(armIdle),
      askActivity: act(askActivity),
      doubt: act(doubt),
      considerHello: act(considerHello),
      parkHello: act(parkHello),
      armSetup: arm(SETUP, SETUP_MS, 'SetupTimeout'),
      armEmpty: arm(EMPTY, EMPTY_TUNNEL_MS, 'EmptyTimeout'),
      armClose: arm(CLOSE, CLOSE_STEP_MS, 'CloseTimeout'),
      armLinger: arm(LINGER, RETRANSMISSION_CYCLE_MS, 'LingerTimeout'),
      disarmSetup: disarm(SETUP),
      disarmEmpty: disarm(EMPTY),
      disarmClose: disarm(CLOSE),
      disarmIdle: disarm(IDLE),
      disarmLinger: disarm(LINGER),
    },
    guards: {
      acceptable: ({ context, event }) => 'heard' in event && refusalOf(context, event.heard) === undefined,
      lastCall: ({ context, event }) =>
        event.type === 'CallOver' && context.calls.every(({ ours }) => ours === event.call),
      noCalls: ({ context }) => context.calls.length === 0,
      drained: ({ context }) => context.delivery.queue.length === 0,
      unknown: ({ context, event }) =>
        context.doubted && event.type === 'Activity' && event.idleMs === undefined,
      alive: ({ context, event }) => context.doubted && isAlive(context, event),
      dead: ({ context, event }) => isDead(context, event),
    },
  })
  .createMachine({
    id: 'tunnel',
    context: newTunnel,
    initial: 'idle',
    on: {
      Packet: { actions: 'hear' },
      RetransmitTimeout: { actions: 'retransmit' },
      AckTimeout: { actions: 'acknowledgeNow' },
      Restored: { actions: 'resume' },
      SessionEnded: '.gone',
      HELLO: {},
    },
    states: {
      idle: {
        on: {
          LocalOpen: { target: 'waitCtlReply', actions: ['enlist', 'sendSCCRQ'] },
          SCCRQ: [
            { guard: 'acceptable', target: 'waitCtlConn', actions: 'sendSCCRP' },
            { target: 'stopping', actions: 'refuse' },
          ],
          SCCRP: { target: 'stopping', actions: 'stopForSequence' },
          Fault: { target: 'stopping', actions: 'stopForFault' },
          SCCCN: 'gone',
          StopCCN: 'gone',
        },
      },
      waitCtlReply: {
        entry: 'armSetup',
        exit: 'disarmSetup',
        on: {
          LocalOpen: { actions: 'enlist' },
          SCCRP: [
            { guard: 'acceptable', target: 'established', actions: ['sendSCCCN', 'open'] },
            { target: 'stopping', actions: 'refuse' },
          ],
          TieLost: { target: 'gone', actions: 'superseded' },
          SCCRQ: { target: 'stopping', actions: 'stopForSequence' },
          SCCCN: { target: 'stopping', actions: 'stopForSequence' },
          CallMessage: { target: 'stopping', actions: 'stopForSequence' },
          CallFault: { target: 'stopping', actions: 'stopForFault' },
          Fault: { target: 'stopping', actions: 'stopForFault' },
          StopCCN: { target: 'lingering', actions: ['stopped', 'reportClosed'] },
          Close: { target: 'stopping', actions: 'stopForClose' },
          SetupTimeout: { target: 'stopping', actions: 'stopForSilence' },
          GaveUp: { target: 'gone', actions: ['lost', 'reportClosed'] },
          CallOver: { actions: 'forget' },
        },
      },
      waitCtlConn: {
        entry: 'armSetup',
        exit: 'disarmSetup',
        on: {
          SCCCN: [
            { guard: 'acceptable', target: 'established', actions: 'open' },
            { target: 'stopping', actions: 'refuse' },
          ],
          SCCRQ: { target: 'stopping', actions: 'stopForSequence' },
          SCCRP: { target: 'stopping', actions: 'stopForSequence' },
          CallMessage: { target: 'stopping', actions: 'stopForSequence' },
          CallFault: { target: 'stopping', actions: 'stopForFault' },
          Fault: { target: 'stopping', actions: 'stopForFault' },
          StopCCN: { target: 'lingering', actions: ['stopped', 'reportClosed'] },
          Close: { target: 'stopping', actions: 'stopForClose' },
          Superseded: { target: 'gone', actions: 'superseded' },
          SetupTimeout: { target: 'stopping', actions: 'stopForSilence' },
          GaveUp: { target: 'gone', actions: ['lost', 'reportClosed'] },
        },
      },
      established: {
        entry: 'armIdle',
        exit: ['disarmIdle', 'disarmEmpty'],
        initial: 'open',
        on: {
          Send: { actions: 'relay' },
          SCCRQ: { target: 'stopping', actions: 'stopForSequence' },
          SCCRP: { target: 'stopping', actions: 'stopForSequence' },
          SCCCN: { target: 'stopping', actions: 'stopForSequence' },
          Fault: { target: 'stopping', actions: 'stopForFault' },
          StopCCN: { target: 'lingering', actions: ['stopped', 'reportClosed'] },
          CallMessage: { actions: ['disarmEmpty', 'route'] },
          CallFault: { actions: ['disarmEmpty', 'route'] },
          Superseded: { target: 'gone', actions: ['superseded', 'reportClosed'] },
          GaveUp: { target: 'gone', actions: ['lost', 'reportClosed'] },
          IdleTimeout: { actions: 'askActivity' },
          HelloUnanswered: { actions: 'doubt' },
          Activity: [
            { guard: 'dead', target: 'gone', actions: ['lost', 'reportClosed'] },
            { guard: 'alive', actions: ['parkHello', 'armIdle'] },
            { guard: 'unknown', actions: 'armIdle' },
            { actions: 'considerHello' },
          ],
        },
        states: {
          open: {
            entry: 'armEmpty',
            on: {
              LocalOpen: { actions: ['disarmEmpty', 'enlist', 'admit'] },
              CallOver: [{ guard: 'lastCall', actions: ['forget', 'armEmpty'] }, { actions: 'forget' }],
              EmptyTimeout: [
                { guard: 'noCalls', target: '#tunnel.stopping', actions: 'stopForEmptiness' },
                {},
              ],
              Close: { target: 'closing', actions: 'closeCalls' },
            },
          },
          closing: {
            always: { guard: 'noCalls', target: '#tunnel.stopping', actions: 'stopForClose' },
            on: { CallOver: { actions: 'forget' }, Close: {} },
          },
        },
      },
      // §7.6: StopCCN is sent; its acknowledgement is awaited for a finite time.
      stopping: {
        entry: 'armClose',
        exit: 'disarmClose',
        always: { guard: 'drained', target: 'lingering', actions: 'reportClosed' },
        on: {
          CloseTimeout: { target: 'lingering', actions: 'reportClosed' },
          StopCCN: { target: 'lingering', actions: 'reportClosed' },
          GaveUp: { target: 'gone', actions: 'reportClosed' },
          Superseded: { target: 'gone', actions: 'reportClosed' },
          ...nothingMore(),
        },
      },
      // §5.7: for a full retransmission cycle duplicates are still acknowledged.
      lingering: {
        entry: 'armLinger',
        exit: 'disarmLinger',
        on: { LingerTimeout: 'gone', GaveUp: 'gone', Superseded: 'gone', StopCCN: {}, ...nothingMore() },
      },
      gone: { type: 'final' },
    },
  });

/** What a stopped tunnel hears without doing anything. */
function nothingMore() {
  return {
    SCCRQ: {},
    SCCRP: {},
    SCCCN: {},
    CallMessage: {},
    CallFault: {},
    Fault: {},
    Close: {},
    Send: {},
    Activity: {},
    CallOver: { actions: 'forget' },
  } as const;
}
