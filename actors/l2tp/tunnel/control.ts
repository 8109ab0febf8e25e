import { exposed } from '@culvert/kernel';
import {
  type AvpValues,
  ERRORS,
  explainResult,
  type MessageFault,
  type ResultCode,
  STOP_CCN_RESULTS,
} from '@culvert/wire/l2tp';
import { withPeerWindow } from '../delivery/delivery.ts';
import { PURPOSE } from '../identifiers.ts';
import { CHALLENGE_OCTETS, FRAMING_ANY, PROTOCOL_VERSION } from '../limits.ts';
import type { Heard } from '../messages.ts';
import { type EndReason, stopResult } from '../reasons.ts';
import { type Telling, tell } from '../turn.ts';
import { callActor, type TunnelContext, type TunnelTurn } from './context.ts';
import type { MessageEvent } from './events.ts';
import { dropQueue, say } from './transport.ts';

/** The actions of RFC 2661 §7.2.1: what the control connection's own messages say and do. */

export interface Refusal {
  readonly code: ResultCode;
  readonly reason: EndReason;
}

const NOT_AUTHORIZED: Refusal = {
  code: { result: STOP_CCN_RESULTS.notAuthorized },
  reason: 'authentication-failed',
};

/** Why an SCCRQ, SCCRP or SCCCN is not acceptable; undefined when it is. */
export function refusalOf(context: TunnelContext, heard: Heard): Refusal | undefined {
  const { protocolVersion, challenge } = heard.values;
  if (protocolVersion !== undefined && protocolVersion.version !== PROTOCOL_VERSION.version) {
    // §4.4.2: the Error Code is the highest version we support, in the form of the AVP.
    const error = (PROTOCOL_VERSION.version << 8) | PROTOCOL_VERSION.revision;
    const code = { result: STOP_CCN_RESULTS.versionNotSupported, error };
    return { code, reason: 'negotiation-failed' };
  }
  // §5.1.1: a challenge we cannot answer, or an answer to ours that is missing or wrong.
  if (challenge !== undefined && heard.response === undefined) return NOT_AUTHORIZED;
  if (context.challenge !== undefined && heard.proof !== 'right') return NOT_AUTHORIZED;
  return undefined;
}

function identity({ policy, localId }: TunnelContext): AvpValues {
  return {
    protocolVersion: PROTOCOL_VERSION,
    framingCapabilities: FRAMING_ANY,
    hostName: policy.hostName,
    vendorName: policy.vendorName,
    assignedTunnelId: localId,
    receiveWindowSize: policy.receiveWindow,
  };
}

export function sendSCCRQ(turn: TunnelTurn): void {
  const { event } = turn;
  const tieBreaker = exposed(event.entropy, PURPOSE.tieBreaker, 8);
  turn.context = { ...turn.context, tieBreaker };
  const values = { ...identity(turn.context), tieBreaker, ...challengeOf(turn) };
  say(turn, { type: 'SCCRQ', values });
}

export function sendSCCRP(turn: TunnelTurn): void {
  const { heard } = turn.event as MessageEvent;
  meet(turn, heard);
  const challenge = challengeOf(turn);
  const response = heard.response === undefined ? {} : { challengeResponse: heard.response };
  say(turn, { type: 'SCCRP', values: { ...identity(turn.context), ...response, ...challenge } });
}

export function sendSCCCN(turn: TunnelTurn): void {
  const { heard } = turn.event as MessageEvent;
  meet(turn, heard);
  say(turn, {
    type: 'SCCCN',
    values: heard.response === undefined ? {} : { challengeResponse: heard.response },
  });
}

/** §5.1.1: our challenge, when the policy asks who is there. */
function challengeOf(turn: TunnelTurn): { readonly challenge?: Uint8Array } {
  if (!turn.context.policy.authenticate) return {};
  const challenge = exposed(turn.event.entropy, PURPOSE.challenge, CHALLENGE_OCTETS);
  turn.context = { ...turn.context, challenge };
  return { challenge };
}

/** What the peer said of itself in SCCRQ or SCCRP. */
function meet(turn: TunnelTurn, heard: Heard): void {
  const { assignedTunnelId, hostName = '', vendorName = '', receiveWindowSize } = heard.values;
  const { delivery, peerId } = turn.context;
  turn.context = {
    ...turn.context,
    peerId: assignedTunnelId ?? peerId,
    peerHostName: hostName,
    peerVendorName: vendorName,
    delivery: receiveWindowSize === undefined ? delivery : withPeerWindow(delivery, receiveWindowSize),
  };
}

/** The tunnel is open: says so to the calls that waited for it. */
export function open(turn: TunnelTurn): void {
  const { challenge: _answered, ...context } = turn.context;
  turn.context = { ...context, openedAt: turn.event.at };
  if (context.calls.length > 0) settle(turn);
  tellCalls(turn, { type: 'TunnelOpen', peerTunnel: context.peerId });
}

/**
 * The tunnel has a call and is stored from here on. Only now ike hears of it: of a tunnel that a crash
 * makes us forget it would never hear again, and keep the SAs for nothing.
 */
export function settle(turn: TunnelTurn): void {
  if (turn.context.durable) return;
  turn.context = { ...turn.context, durable: true };
  turn.emitted.push({ type: 'tunnel.opened' });
}

/** §7.2.1 Receive ..., not acceptable: Send StopCCN. */
export function refuse(turn: TunnelTurn): void {
  const { heard, type } = turn.event as MessageEvent;
  const refusal = refusalOf(turn.context, heard) ?? NOT_AUTHORIZED;
  if (type !== 'SCCCN') meet(turn, heard);
  stop(turn, refusal.code, refusal.reason, `${type} not acceptable`);
}

/** §7.2.1, a message in an improper sequence. */
export function stopForSequence(turn: TunnelTurn): void {
  const type = 'heard' in turn.event ? (turn.event.heard.type ?? 'message') : turn.event.type;
  stop(turn, { result: STOP_CCN_RESULTS.fsmError }, 'protocol-error', `${type} in an improper sequence`);
}

/** §4.1 and §7.1: a message that is fatal to the tunnel. */
export function stopForFault(turn: TunnelTurn): void {
  if (!('heard' in turn.event)) return;
  const { heard } = turn.event;
  const fault: MessageFault = heard.fault ?? { error: ERRORS.badValue, text: 'malformed message' };
  if (turn.context.peerId === 0) meet(turn, heard);
  stop(turn, faultResult(fault), 'protocol-error', `fatal ${heard.type ?? 'message'}`);
}

function faultResult({ error, text }: MessageFault): ResultCode {
  return { result: STOP_CCN_RESULTS.generalError, error, message: text };
}

/** Ends in order what has no more calls. */
export function stopForClose(turn: TunnelTurn): void {
  const reason = turn.event.type === 'Close' ? turn.event.reason : (turn.context.ending ?? 'session-ended');
  stop(turn, stopResult(reason), reason);
}

export function stopForSilence(turn: TunnelTurn): void {
  stop(turn, stopResult('peer-silent'), 'peer-silent', 'the peer does not go on');
}

/** §5.6: after the last call the control connection may be torn down. */
export function stopForEmptiness(turn: TunnelTurn): void {
  stop(turn, stopResult('peer-closed'), 'peer-closed');
}

function stop(turn: TunnelTurn, code: ResultCode, ending: EndReason, why?: string): void {
  if (why !== undefined) {
    const result = `StopCCN, ${explainResult('StopCCN', code)}`;
    turn.emitted.push({ type: 'explain', text: `tunnel stopped: ${why}`, result });
  }
  turn.context = { ...turn.context, ending };
  // §6.4: all sessions are implicitly cleared.
  tellCalls(turn, { type: 'TunnelGone', reason: ending });
  say(turn, { type: 'StopCCN', values: { assignedTunnelId: turn.context.localId, resultCode: code } });
}

/** The peer has stopped the tunnel. */
export function stopped(turn: TunnelTurn): void {
  const code = turn.event.type === 'StopCCN' ? turn.event.heard.values.resultCode : undefined;
  const result = code === undefined ? 'StopCCN' : `StopCCN, ${explainResult('StopCCN', code)}`;
  turn.emitted.push({ type: 'explain', text: 'tunnel stopped by the peer', result });
  turn.context = { ...turn.context, ending: 'peer-closed' };
  dropQueue(turn);
  tellCalls(turn, { type: 'TunnelGone', reason: 'peer-closed' });
}

export function lost(turn: TunnelTurn): void {
  turn.context = { ...turn.context, ending: 'peer-silent' };
  tellCalls(turn, { type: 'TunnelGone', reason: 'peer-silent' });
}

export function superseded(turn: TunnelTurn): void {
  turn.context = { ...turn.context, ending: 'peer-closed' };
  tellCalls(turn, { type: 'TunnelGone', reason: 'peer-closed' });
}

/** Tells ike, once, when the tunnel no longer counts. */
export function reportClosed(turn: TunnelTurn): void {
  turn.emitted.push({ type: 'tunnel.closed', reason: turn.context.ending ?? 'session-ended' });
}

export function tellCalls(turn: TunnelTurn, event: Telling): void {
  for (const { ours } of turn.context.calls) turn.emitted.push(tell(callActor(ours), event));
}

/**
 * RFC 2661 §4.4.3, Tie Breaker: the lower value wins, a value wins against none, two equal ones both lose,
 * and without any there are two tunnels.
 */
export function tieBreak(
  ours: Uint8Array | undefined,
  theirs: Uint8Array | undefined,
): 'won' | 'lost' | 'both-lost' | 'none' {
  if (ours === undefined) return theirs === undefined ? 'none' : 'lost';
  if (theirs === undefined) return 'won';
  for (let index = 0; index < ours.length; index += 1) {
    const difference = (ours[index] ?? 0) - (theirs[index] ?? 0);
    if (difference !== 0) return difference < 0 ? 'won' : 'lost';
  }
  return 'both-lost';
}
