import type { CallInput } from '../call/context.ts';
import { freshCallId } from '../identifiers.ts';
import type { Heard } from '../messages.ts';
import { tell } from '../turn.ts';
import { type CallRow, callActor, type TunnelTurn, tunnelActor } from './context.ts';
import { settle } from './control.ts';

/** How the tunnel's messages find their calls, and how calls come and go. */

/** Messages that an unknown call answers, by its idle rows (RFC 2661 §7.4, §7.5); the others only end it. */
const ANSWERED = new Set(['ICRQ', 'ICRP', 'OCRQ', 'OCRP']);

/** A message of a session, or a fault in one, goes to its call; for an unknown one a call is begotten. */
export function route(turn: TunnelTurn): void {
  if (turn.event.type !== 'CallMessage' && turn.event.type !== 'CallFault') return;
  const { heard } = turn.event;
  const known = rowOf(turn.context.calls, heard);
  const event =
    turn.event.type === 'CallFault' ? { type: 'Fault', heard } : { type: heard.type ?? 'HELLO', heard };
  if (known !== undefined) {
    const theirs = heard.values.assignedSessionId;
    if (known.theirs === 0 && theirs !== undefined) learn(turn, known.ours, theirs);
    turn.emitted.push(tell(callActor(known.ours), event));
    return;
  }
  const theirs = heard.values.assignedSessionId;
  if (theirs === undefined || heard.type === undefined || !ANSWERED.has(heard.type)) {
    turn.emitted.push({ type: 'dropped', reason: 'no-call' });
    return;
  }
  const { calls, policy, ending } = turn.context;
  const full = calls.length >= policy.callsMax;
  const refuse = ending !== undefined ? ending : full ? 'limit' : undefined;
  const ours = begetCall(turn, theirs);
  turn.emitted.push(tell(callActor(ours), refuse === undefined ? event : { ...event, refuse }));
  if (refuse === undefined && heard.type === 'ICRQ') settle(turn);
}

/**
 * §4.4.4: by the Session ID in the header, or by the one the peer assigned while it does not know ours.
 * A request that assigns anew what is assigned belongs to that call too, and ends it.
 */
function rowOf(calls: readonly CallRow[], heard: Heard): CallRow | undefined {
  if (heard.sessionId !== 0) return calls.find(({ ours }) => ours === heard.sessionId);
  const assigned = heard.values.assignedSessionId;
  return assigned === undefined ? undefined : calls.find(({ theirs }) => theirs === assigned);
}

function begetCall(turn: TunnelTurn, theirs: number): number {
  const { calls, localId, peerId, slot, innerPorts, callingStation } = turn.context;
  const ours = freshCallId(turn.event.entropy, slot, (id) => calls.some((call) => call.ours === id));
  turn.context = { ...turn.context, calls: [...calls, { ours, theirs }] };
  const input: CallInput = {
    role: 'lns',
    tunnel: tunnelActor(localId),
    localTunnel: localId,
    peerTunnel: peerId,
    ours,
    theirs,
    innerPorts,
    callingStation,
  };
  turn.emitted.push({ type: 'beget', id: callActor(ours), input });
  return ours;
}

function learn(turn: TunnelTurn, ours: number, theirs: number): void {
  const calls = turn.context.calls.map((call) => (call.ours === ours ? { ours, theirs } : call));
  turn.context = { ...turn.context, calls };
}

/** §7.2.1 Local open request: a call of ours waits for the tunnel. */
export function enlist(turn: TunnelTurn): void {
  if (turn.event.type !== 'LocalOpen') return;
  turn.context = { ...turn.context, calls: [...turn.context.calls, { ours: turn.event.call, theirs: 0 }] };
}

/** The tunnel is open already. */
export function admit(turn: TunnelTurn): void {
  if (turn.event.type !== 'LocalOpen') return;
  const event = { type: 'TunnelOpen', peerTunnel: turn.context.peerId };
  turn.emitted.push(tell(callActor(turn.event.call), event));
}

export function forget(turn: TunnelTurn): void {
  if (turn.event.type !== 'CallOver') return;
  const { call } = turn.event;
  turn.context = { ...turn.context, calls: turn.context.calls.filter(({ ours }) => ours !== call) };
}

/** Admin Tunnel Close, in order: the calls first. */
export function closeCalls(turn: TunnelTurn): void {
  if (turn.event.type !== 'Close') return;
  const { reason } = turn.event;
  turn.context = { ...turn.context, ending: reason };
  for (const { ours } of turn.context.calls) {
    turn.emitted.push(tell(callActor(ours), { type: 'Close', reason }));
  }
}
