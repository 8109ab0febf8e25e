import type { ActorId, Stamped } from '@culvert/kernel';
import {
  type ControlPacket,
  type CpOption,
  codes,
  controlPacketOctets,
  optionsOctets,
} from '@culvert/wire/ppp';
import { setup } from 'xstate';
import type { Emitted } from '../effects.ts';
import type { AutomatonEvent, Layer, LayerEvent } from './events.ts';
import { type AutomatonLimits, REFUSED_MAX } from './limits.ts';

export const RESTART = 'restart';
/** No octet: matches no Identifier. */
export const ANSWERED = -1;

export interface AutomatonContext {
  readonly owner: ActorId;
  readonly layer: Layer;
  readonly call: number;
  readonly protocol: number;
  readonly limits: AutomatonLimits;
  /** What our next Configure-Request carries. */
  readonly request: readonly CpOption[];
  /** Wishes of ours that the peer has turned down. */
  readonly refused: readonly CpOption[];
  /** Of the last packet of ours that needed one. */
  readonly identifier: number;
  /** Of the last Configure-Request; ANSWERED once its Configure-Ack is here, so that a duplicate is stale. */
  readonly requestIdentifier: number;
  readonly restartCounter: number;
  readonly periodMs: number;
  /** Configure-Naks sent since the last Configure-Ack (Max-Failure). */
  readonly failures: number;
  /** Our request as the peer acknowledged it; the peer's as we did. */
  readonly ours: readonly CpOption[];
  readonly theirs: readonly CpOption[];
  readonly closeText: string;
}

export type AutomatonInput = Pick<
  AutomatonContext,
  'owner' | 'layer' | 'call' | 'protocol' | 'limits' | 'request'
>;

export const rfc1661 = setup({
  types: {
    context: {} as AutomatonContext,
    events: {} as AutomatonEvent,
    input: {} as AutomatonInput & Partial<Stamped>,
    emitted: {} as Emitted,
  },
});

const TEXT_OCTETS_MAX = 128;

function frame(context: AutomatonContext, packet: ControlPacket): Emitted {
  const { call, protocol } = context;
  return { type: 'frame.send', call, protocol, information: controlPacketOctets(packet) };
}

/** scr and str: count the attempt, send, start the Restart timer afresh. */
function request(code: number, data: (context: AutomatonContext) => Uint8Array) {
  return rfc1661.enqueueActions(({ context, event, enqueue }) => {
    // §5.1: a new request takes a new Identifier, a retransmission may keep it.
    const timedOut = event.type === 'TO' && context.requestIdentifier !== ANSWERED;
    const identifier = timedOut ? context.requestIdentifier : (context.identifier + 1) & 0xff;
    const periodMs =
      event.type === 'TO' ? Math.min(context.periodMs * 2, context.limits.restartMs) : context.periodMs;
    enqueue.assign({
      identifier: timedOut ? context.identifier : identifier,
      requestIdentifier: identifier,
      restartCounter: context.restartCounter - 1,
      periodMs,
    });
    enqueue.emit(frame(context, { code, identifier, data: data(context) }));
    enqueue.cancel(RESTART);
    enqueue.raise({ type: 'TO' }, { id: RESTART, delay: periodMs });
  });
}

const reply = rfc1661.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'RCR+' && event.type !== 'RCR-' && event.type !== 'RXR') return;
  if (event.reply !== undefined) enqueue.emit(frame(context, event.reply));
});

const tellOwner = (told: (context: AutomatonContext) => LayerEvent) =>
  rfc1661.emit(({ context }) => ({ type: 'tell', to: context.owner, event: told(context) }));

const initialiseRestartCount = (from: 'maxConfigure' | 'maxTerminate') =>
  rfc1661.assign(({ context }) => ({
    restartCounter: context.limits[from],
    periodMs: context.limits.restartInitialMs,
  }));

/** RFC 1661 §4.4, by the names of the table. */
export const actions = {
  tlu: tellOwner(({ layer, ours, theirs }) => ({ type: 'LayerUp', layer, ours, theirs })),
  tld: rfc1661.emit(({ context: { layer, owner }, event }) => ({
    type: 'tell',
    to: owner,
    event: { type: 'LayerDown', layer, cause: event.type } satisfies LayerEvent,
  })),
  tls: tellOwner(({ layer }) => ({ type: 'LayerStarted', layer })),
  tlf: rfc1661.emit(({ context: { layer, owner }, event }) => ({
    type: 'tell',
    to: owner,
    event: { type: 'LayerFinished', layer, silent: event.type === 'TO' } satisfies LayerEvent,
  })),
  irc: initialiseRestartCount('maxConfigure'),
  ircTerminate: initialiseRestartCount('maxTerminate'),
  /** The peer gets one period of the Restart timer for its last words. */
  zrc: rfc1661.enqueueActions(({ context, enqueue }) => {
    enqueue.assign({ restartCounter: 0, periodMs: context.limits.restartInitialMs });
    enqueue.cancel(RESTART);
    enqueue.raise({ type: 'TO' }, { id: RESTART, delay: context.limits.restartInitialMs });
  }),
  scr: request(codes.configureRequest, (context) => optionsOctets(context.request)),
  sca: rfc1661.enqueueActions(({ event, enqueue }) => {
    if (event.type === 'RCR+') enqueue.assign({ failures: 0, theirs: event.options });
    enqueue(reply);
  }),
  scn: rfc1661.enqueueActions(({ context, event, enqueue }) => {
    const nak = event.type === 'RCR-' && event.reply.code === codes.configureNak;
    if (nak) enqueue.assign({ failures: context.failures + 1 });
    enqueue(reply);
  }),
  str: request(codes.terminateRequest, (context) => new TextEncoder().encode(context.closeText)),
  sta: rfc1661.enqueueActions(({ context, event, enqueue }) => {
    // §5.5: the Terminate-Ack copies the Identifier; one that answers nothing gets its own.
    const asked = event.type === 'RTR' ? event.identifier : undefined;
    const identifier = asked ?? (context.identifier + 1) & 0xff;
    if (asked === undefined) enqueue.assign({ identifier });
    enqueue.emit(frame(context, { code: codes.terminateAck, identifier, data: new Uint8Array(0) }));
  }),
  scj: rfc1661.enqueueActions(({ context, event, enqueue }) => {
    if (event.type !== 'RUC') return;
    const identifier = (context.identifier + 1) & 0xff;
    enqueue.assign({ identifier });
    enqueue.emit(frame(context, { code: codes.codeReject, identifier, data: event.data }));
  }),
  ser: reply,
  /** What RCA and RCN bring besides their transition. */
  granted: rfc1661.assign(({ context }) => ({ ours: context.request, requestIdentifier: ANSWERED })),
  adopt: rfc1661.assign(({ context, event }) =>
    event.type === 'RCN'
      ? { request: event.request, refused: [...context.refused, ...event.refused].slice(-REFUSED_MAX) }
      : {},
  ),
  closing: rfc1661.assign(({ event }) =>
    event.type === 'Close' ? { closeText: (event.text ?? '').slice(0, TEXT_OCTETS_MAX) } : {},
  ),
};
