import { type TunnelContext, type TunnelTurn, tunnelActor } from './context.ts';
import type { TunnelEvent } from './events.ts';
import { repeatHello, say } from './transport.ts';

/** RFC 2661 §5.5: Hello, but only after a time in which nothing at all came through the session's SAs. */

export const IDLE = 'idle';

export function armIdle(turn: TunnelTurn): void {
  armIdleFor(turn, turn.context.policy.helloIdleMs);
}

function armIdleFor(turn: TunnelTurn, afterMs: number): void {
  const { at, entropy } = turn.event;
  turn.timers.push({ op: 'arm', id: IDLE, afterMs, event: { type: 'IdleTimeout', at, entropy } });
}

/** The edge sees what arrives. The timer runs on, in case its answer does not. */
export function askActivity(turn: TunnelTurn): void {
  turn.emitted.push({ type: 'activity.ask', tunnel: tunnelActor(turn.context.localId) });
  armIdle(turn);
}

export function doubt(turn: TunnelTurn): void {
  turn.context = { ...turn.context, doubted: true };
  askActivity(turn);
}

/** Something arrived since the Hello that nobody acknowledged. */
export function isAlive(context: TunnelContext, event: TunnelEvent): boolean {
  if (event.type !== 'Activity' || event.idleMs === undefined) return false;
  return event.idleMs < event.at - (context.helloSentAt ?? event.at);
}

/**
 * Only a number proves it. An edge that cannot be asked, or has just begun and knows no SA yet, is asked
 * again; when the SAs are really gone, ike says so.
 */
export function isDead(context: TunnelContext, event: TunnelEvent): boolean {
  if (!context.doubted || event.type !== 'Activity' || event.idleMs === undefined) return false;
  return !isAlive(context, event);
}

/** Not in doubt: waits for the rest of the idle time, or says Hello. */
export function considerHello(turn: TunnelTurn): void {
  if (turn.event.type !== 'Activity') return;
  const { idleMs, at } = turn.event;
  const { policy, delivery } = turn.context;
  if (idleMs === undefined || idleMs < policy.helloIdleMs) {
    armIdleFor(turn, policy.helloIdleMs - (idleMs ?? 0));
    return;
  }
  turn.context = { ...turn.context, helloSentAt: at };
  // A message that is under way asks the same question; one that was parked asks it again.
  if (delivery.queue.length === 0) say(turn, { type: 'HELLO', values: {} });
  else if (delivery.inFlight === 0) repeatHello(turn);
  armIdle(turn);
}
