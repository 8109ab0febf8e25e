import {
  CDN_RESULTS,
  ERRORS,
  explainResult,
  type OutgoingMessage,
  type PppDisconnectCause,
  type ResultCode,
} from '@culvert/wire/l2tp';
import { FRAMING_ANY } from '../limits.ts';
import type { Spoken } from '../messages.ts';
import { disconnectCause, disconnectResult, type EndReason } from '../reasons.ts';
import { tell } from '../turn.ts';
import type { CallTurn } from './context.ts';

/** The actions of RFC 2661 §7.4 and §7.5. */

function say(turn: CallTurn, message: OutgoingMessage): void {
  const spoken: Spoken = { ...message, sessionId: turn.context.theirs };
  turn.emitted.push(tell(turn.context.tunnel, { type: 'Send', message: spoken }));
}
/** §4.4.6: a fast line; nothing behind us has a speed of its own. */
const CONNECT_SPEED_BPS = 1_000_000_000;
const FRAMING_SYNCHRONOUS = 1;

export function sendICRQ(turn: CallTurn): void {
  if (turn.event.type === 'TunnelOpen') turn.context = { ...turn.context, peerTunnel: turn.event.peerTunnel };
  const { ours, serialNumber } = turn.context;
  say(turn, { type: 'ICRQ', values: { assignedSessionId: ours, callSerialNumber: serialNumber } });
}

export function sendICRP(turn: CallTurn): void {
  if (turn.event.type !== 'ICRQ') return;
  const serialNumber = turn.event.heard.values.callSerialNumber ?? 0;
  turn.context = { ...turn.context, serialNumber };
  say(turn, { type: 'ICRP', values: { assignedSessionId: turn.context.ours } });
}

export function sendICCN(turn: CallTurn): void {
  if (turn.event.type !== 'ICRP') return;
  turn.context = { ...turn.context, theirs: turn.event.heard.values.assignedSessionId ?? 0 };
  const framingType = FRAMING_SYNCHRONOUS & FRAMING_ANY;
  say(turn, { type: 'ICCN', values: { txConnectSpeed: CONNECT_SPEED_BPS, framingType } });
}

/** Prepare for data: PPP may begin. */
export function connected(turn: CallTurn): void {
  if (turn.event.type === 'ICCN') {
    turn.context = { ...turn.context, sequencing: turn.event.heard.values.sequencingRequired === true };
  }
  const { ours, callingStation } = turn.context;
  turn.emitted.push({ type: 'link.start', call: ours, callingStation });
}

/** Not acceptable: the reason came with the message. */
export function refuse(turn: CallTurn): void {
  const reason = ('refuse' in turn.event ? turn.event.refuse : undefined) ?? 'limit';
  sendCDN(turn, reason, disconnectResult(reason));
}

/** §7.5.1, OCRQ not acceptable: there is no line here to place a call on. */
export function refuseOutgoing(turn: CallTurn): void {
  sendCDN(turn, 'negotiation-failed', { result: CDN_RESULTS.noFacilitiesPermanent });
}

/** A message in an improper sequence. */
export function disconnectForSequence(turn: CallTurn): void {
  const code = { result: CDN_RESULTS.generalError, error: ERRORS.badSessionId };
  sendCDN(turn, 'protocol-error', code, `${turn.event.type} in an improper sequence`);
}

/** §4.1: a message that is fatal to its session. */
export function disconnectForFault(turn: CallTurn): void {
  if (turn.event.type !== 'Fault') return;
  const { fault, type = 'message' } = turn.event.heard;
  const { error, text } = fault ?? { error: ERRORS.badValue, text: 'malformed message' };
  sendCDN(
    turn,
    'protocol-error',
    { result: CDN_RESULTS.generalError, error, message: text },
    `fatal ${type}`,
  );
}

/** Local close request. */
export function disconnect(turn: CallTurn): void {
  const { event, context } = turn;
  if (event.type === 'Disconnect') {
    const cause = disconnectCause(event.reason, event.advice);
    sendCDN(
      turn,
      context.ending ?? event.reason,
      disconnectResult(event.reason, event.advice),
      undefined,
      cause,
    );
    return;
  }
  const reason = event.type === 'Close' ? event.reason : (context.ending ?? 'session-ended');
  sendCDN(turn, reason, disconnectResult(reason), undefined, disconnectCause(reason, ''));
}

/** The peer did not finish the call in time. */
export function disconnectForSilence(turn: CallTurn): void {
  sendCDN(turn, 'peer-silent', { result: CDN_RESULTS.timedOut }, 'the call was not connected in time');
}

function sendCDN(
  turn: CallTurn,
  ending: EndReason,
  resultCode: ResultCode,
  why?: string,
  cause?: PppDisconnectCause,
): void {
  if (why !== undefined) {
    const result = `CDN, ${explainResult('CDN', resultCode)}`;
    turn.emitted.push({ type: 'explain', text: `call ended: ${why}`, result });
  }
  turn.context = { ...turn.context, ending };
  const values = { resultCode, assignedSessionId: turn.context.ours };
  say(turn, {
    type: 'CDN',
    values: cause === undefined ? values : { ...values, pppDisconnectCauseCode: cause },
  });
}

/** The peer ended the call. */
export function noteCDN(turn: CallTurn): void {
  if (turn.event.type !== 'CDN') return;
  const code = turn.event.heard.values.resultCode;
  if (code !== undefined) {
    turn.emitted.push({
      type: 'explain',
      text: 'call ended by the peer',
      result: `CDN, ${explainResult('CDN', code)}`,
    });
  }
  turn.context = { ...turn.context, ending: 'peer-closed' };
}

export function noteEnd(turn: CallTurn): void {
  const { event } = turn;
  if (event.type === 'TunnelGone' || event.type === 'SessionEnded' || event.type === 'Close') {
    turn.context = { ...turn.context, ending: event.reason };
  }
}

/** PPP shall terminate first; it answers with Disconnect. */
export function closeLink(turn: CallTurn): void {
  const { ours, ending = 'session-ended' } = turn.context;
  turn.emitted.push({ type: 'link.close', call: ours, reason: ending });
}

/** PPP loses its link. */
export function stopLink(turn: CallTurn): void {
  const { ours, ending = 'session-ended' } = turn.context;
  turn.emitted.push({ type: 'link.stop', call: ours, reason: ending });
}

/** Tells the tunnel that the call is no more; its messages so far are in the tunnel's care. */
export function leave(turn: CallTurn): void {
  turn.emitted.push(tell(turn.context.tunnel, { type: 'CallOver', call: turn.context.ours }));
}

export function requestTunnel(turn: CallTurn): void {
  turn.emitted.push(tell(turn.context.tunnel, { type: 'LocalOpen', call: turn.context.ours }));
}
