import { exposed } from '@culvert/kernel';
import type { MessageName, OutgoingMessage } from '@culvert/wire/l2tp';
import {
  acknowledge,
  type DeliveryStep,
  parked,
  received,
  resumed,
  resuming,
  send,
  timedOut,
} from '../delivery/delivery.ts';
import { PURPOSE } from '../identifiers.ts';
import { ACK_DELAY_MS, RANDOM_VECTOR_OCTETS } from '../limits.ts';
import type { Heard, Spoken } from '../messages.ts';
import type { TunnelTurn } from './context.ts';
import type { PacketEvent, TunnelEvent } from './events.ts';

/** How the tunnel's reliable delivery (RFC 2661 §5.8) is driven by its events. */

const RETRANSMIT = 'retransmit';
const ACK = 'ack';

/**
 * Nothing of ours follows these, so their acknowledgement goes at once. The others are answered in the
 * same step, or (SCCCN) mostly followed by a request whose answer can carry it.
 */
const UNANSWERED: ReadonlySet<MessageName> = new Set([
  'StopCCN',
  'HELLO',
  'ICCN',
  'OCCN',
  'CDN',
  'WEN',
  'SLI',
]);

/** A datagram arrived: what it delivers becomes the tunnel's next events, in order. */
export function hear(turn: TunnelTurn): void {
  const event = turn.event as PacketEvent;
  const { ns, nr, heard } = event;
  const step = received(turn.context.delivery, turn.context.policy, {
    ns,
    nr,
    ...(heard === undefined ? {} : { message: heard }),
  });
  carryOut(turn, step);
  if (step.drop !== undefined) turn.emitted.push({ type: 'dropped', reason: step.drop });
  for (const message of step.delivered) {
    const next = eventOf(message, event);
    if (next !== undefined) turn.raised.push(next);
    if (message.type !== undefined && UNANSWERED.has(message.type)) acknowledgeNow(turn);
  }
}

function eventOf(heard: Heard, { at, entropy }: PacketEvent): TunnelEvent | undefined {
  const stamp = { at, entropy, heard };
  switch (heard.type) {
    case undefined:
      return heard.fault === undefined ? undefined : { type: 'Fault', ...stamp };
    case 'SCCRQ':
    case 'SCCRP':
    case 'SCCCN':
    case 'StopCCN':
    case 'HELLO':
      // §6.4, §6.12: StopCCN and CDN end what they end also when there is something wrong with them.
      return { type: heard.fault === undefined || heard.type === 'StopCCN' ? heard.type : 'Fault', ...stamp };
    default:
      return {
        type: heard.fault === undefined || heard.type === 'CDN' ? 'CallMessage' : 'CallFault',
        ...stamp,
      };
  }
}

/** A message of the tunnel itself. */
export function say(turn: TunnelTurn, message: OutgoingMessage): void {
  speak(turn, { ...message, sessionId: 0 });
}

/** A call has something to send. */
export function relay(turn: TunnelTurn): void {
  if (turn.event.type === 'Send') speak(turn, turn.event.message);
}

export function speak(turn: TunnelTurn, message: Spoken): void {
  const { delivery, policy } = turn.context;
  const spoken = policy.hideAvps
    ? {
        ...message,
        randomVector: exposed(turn.event.entropy, PURPOSE.randomVector + delivery.ns, RANDOM_VECTOR_OCTETS),
      }
    : message;
  carryOut(turn, send(delivery, policy, spoken));
}

/**
 * §5.8: after the last retransmission the tunnel is cleared, unless it is only our keepalive that goes
 * unanswered: some clients never acknowledge it, and then the edge knows better whether they live.
 */
export function retransmit(turn: TunnelTurn): void {
  const { delivery, policy } = turn.context;
  const step = timedOut(delivery, policy);
  const onlyHello = delivery.queue.every(({ message }) => message.type === 'HELLO');
  if (step.gaveUp === true && onlyHello) {
    const { at, entropy } = turn.event;
    turn.raised.push({ type: 'HelloUnanswered', at, entropy });
  } else carryOut(turn, step);
}

export function acknowledgeNow(turn: TunnelTurn): void {
  carryOut(turn, acknowledge(turn.context.delivery));
}

/** The client lives without acknowledging: the Hello rests until there is something else to say. */
export function parkHello(turn: TunnelTurn): void {
  turn.context = { ...turn.context, delivery: parked(turn.context.delivery), doubted: false };
  turn.timers.push({ op: 'disarm', id: RETRANSMIT });
}

export function repeatHello(turn: TunnelTurn): void {
  carryOut(turn, resumed(turn.context.delivery, turn.context.policy));
}

/** The peer has let go of the tunnel: nothing of ours will be acknowledged any more. */
export function dropQueue(turn: TunnelTurn): void {
  const delivery = { ...turn.context.delivery, queue: [], inFlight: 0, sent: 0 };
  turn.context = { ...turn.context, delivery };
  turn.timers.push({ op: 'disarm', id: RETRANSMIT });
}

/** Restored from a checkpoint that may lack the last movements of Ns and Nr. */
export function resume(turn: TunnelTurn): void {
  turn.context = { ...turn.context, delivery: resuming(turn.context.delivery) };
}

function carryOut(turn: TunnelTurn, step: DeliveryStep<Spoken, Heard>): void {
  const dueBefore = turn.context.delivery.ackDue;
  turn.context = { ...turn.context, delivery: step.delivery };
  const { innerPorts, peerId } = turn.context;
  const { at, entropy } = turn.event;
  for (const { ns, nr, message } of step.transmit) {
    const header = { tunnelId: peerId, sessionId: message?.sessionId ?? 0, ns, nr };
    turn.emitted.push({
      type: 'control.transmit',
      innerPorts,
      header,
      ...(message === undefined ? {} : { message }),
    });
  }
  if (step.timer === 'disarm') turn.timers.push({ op: 'disarm', id: RETRANSMIT });
  else if (step.timer !== undefined) {
    const event = { type: 'RetransmitTimeout', at, entropy } as const;
    turn.timers.push({ op: 'arm', id: RETRANSMIT, afterMs: step.timer.afterMs, event });
  }
  const due = step.delivery.ackDue;
  if (due && !dueBefore) {
    turn.timers.push({
      op: 'arm',
      id: ACK,
      afterMs: ACK_DELAY_MS,
      event: { type: 'AckTimeout', at, entropy },
    });
  } else if (!due && dueBefore) turn.timers.push({ op: 'disarm', id: ACK });
  if (step.gaveUp === true) turn.raised.push({ type: 'GaveUp', at, entropy });
}
