import { type Delivery, type SessionState, stepSession } from '@culvert/kernel';
import { describe, expect, test } from 'vitest';
import type { L2tpEffect } from '../effects.ts';
import { l2tpActors, tunnelMachine } from '../index.ts';
import type { Heard } from '../messages.ts';
import type { TunnelContext, TunnelPolicy } from './context.ts';
import { refusalOf, tieBreak } from './control.ts';

const POLICY: TunnelPolicy = {
  hostName: 'lns',
  vendorName: 'Culvert',
  authenticate: false,
  hideAvps: false,
  receiveWindow: 4,
  helloIdleMs: 60_000,
  callsMax: 4,
  retransmitMs: 1_000,
  retransmitCapMs: 8_000,
  retransmitMax: 5,
};
const STAMP = { at: 1_000, entropy: new Uint8Array(32) };
const ID = 'tunnel/9';
const PORTS = { local: 1701, remote: 1701 };

const ACCEPTABLE: Heard = {
  type: 'SCCRQ',
  sessionId: 0,
  proof: 'absent',
  values: { protocolVersion: { version: 1, revision: 0 }, hostName: 'lac', assignedTunnelId: 7 },
};
/** A challenge that nobody here can answer. */
const UNACCEPTABLE: Heard = {
  ...ACCEPTABLE,
  values: { ...ACCEPTABLE.values, challenge: new Uint8Array(16) },
};
const STOP: Heard = { ...ACCEPTABLE, values: { assignedTunnelId: 7, resultCode: { result: 1 } } };

const run = (state: SessionState, ...deliveries: Delivery[]) =>
  stepSession<L2tpEffect>(l2tpActors, state, deliveries, STAMP);
const tell = (type: string, more: object = {}): Delivery => ({
  type: 'tell',
  to: ID,
  event: { type, ...more },
});
const begotten = (): SessionState => {
  const input = { localId: 9, slot: 0, peerId: 0, innerPorts: PORTS, callingStation: '', policy: POLICY };
  return run({}, { type: 'beget', id: ID, input }).state;
};

/** How each state of RFC 2661 §7.2.1 is reached. */
const REACHED: Record<string, () => SessionState> = {
  idle: begotten,
  'wait-ctl-reply': () => run(begotten(), tell('LocalOpen', { call: 70 })).state,
  'wait-ctl-conn': () => run(begotten(), tell('SCCRQ', { heard: ACCEPTABLE })).state,
  established: () => run(REACHED['wait-ctl-conn']?.() ?? {}, tell('SCCCN', { heard: ACCEPTABLE })).state,
};

/** Our states by the RFC's names. A tunnel that ends is `idle` again: gone, or kept only to deliver (§5.8). */
function rfcState(state: SessionState): string {
  const value = state[ID]?.value;
  if (value === undefined || value === 'stopping' || value === 'lingering') return 'idle';
  if (typeof value !== 'string') return 'established';
  return value.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

const EVENTS: Record<string, Delivery> = {
  'Local open': tell('LocalOpen', { call: 71 }),
  'SCCRQ+': tell('SCCRQ', { heard: ACCEPTABLE }),
  'SCCRQ-': tell('SCCRQ', { heard: UNACCEPTABLE }),
  'SCCRP+': tell('SCCRP', { heard: ACCEPTABLE }),
  'SCCRP-': tell('SCCRP', { heard: UNACCEPTABLE }),
  'SCCCN+': tell('SCCCN', { heard: ACCEPTABLE }),
  'SCCCN-': tell('SCCCN', { heard: UNACCEPTABLE }),
  StopCCN: tell('StopCCN', { heard: STOP }),
  'SCCRQ loses': tell('TieLost'),
  'Admin close': tell('Close', { reason: 'operator' }),
};

/**
 * RFC 2661 §7.2.1, every row: the message that is sent, and the new state. `.` stands for no message;
 * + and - for acceptable and not acceptable; `none` for a cell that cannot arise or does nothing: events
 * that the table does not give for the state. The order of the message SCCRQ in wait-ctl-reply is that
 * of an in-order message of the peer's, which only a broken peer sends.
 */
const TABLE = `
               idle                   wait-ctl-reply     wait-ctl-conn      established
  Local open   SCCRQ/wait-ctl-reply   ./wait-ctl-reply   none               ./established
  SCCRQ+       SCCRP/wait-ctl-conn    StopCCN/idle       StopCCN/idle       StopCCN/idle
  SCCRQ-       StopCCN/idle           StopCCN/idle       StopCCN/idle       StopCCN/idle
  SCCRP+       StopCCN/idle           SCCCN/established  StopCCN/idle       StopCCN/idle
  SCCRP-       StopCCN/idle           StopCCN/idle       StopCCN/idle       StopCCN/idle
  SCCCN+       ./idle                 StopCCN/idle       ./established      StopCCN/idle
  SCCCN-       ./idle                 StopCCN/idle       StopCCN/idle       StopCCN/idle
  StopCCN      ./idle                 ./idle             ./idle             ./idle
  SCCRQ loses  none                   ./idle             none               none
  Admin close  none                   StopCCN/idle       StopCCN/idle       StopCCN/idle
`;

interface Cell {
  readonly event: string;
  readonly state: string;
  readonly message: string;
  readonly target: string;
}

function cells(table: string): Cell[] {
  const [head = '', ...lines] = table.split('\n').filter((line) => line.trim() !== '');
  const states = head.trim().split(/\s+/);
  return lines.flatMap((line) => {
    const [event = '', ...columns] = line.trim().split(/\s{2,}/);
    return columns.map((cell, index) => {
      const [message = '', target = ''] = cell === 'none' ? ['.', states[index]] : cell.split('/');
      return { event, state: states[index] ?? '', message, target: target ?? '' };
    });
  });
}

/** Messages that were queued by the step, sent at once or held back by the congestion window. */
function said(
  before: SessionState,
  after: SessionState,
  effects: readonly { effect: L2tpEffect }[],
): string[] {
  const queue = (state: SessionState) =>
    ((state[ID]?.context as TunnelContext | undefined)?.delivery.queue ?? []).map(
      ({ message }) => message.type,
    );
  const fresh = queue(after).slice(queue(before).length);
  const sent = effects.flatMap(({ effect }) =>
    effect.type === 'control.transmit' ? [effect.message?.type ?? 'ZLB'] : [],
  );
  return fresh.length > 0 ? fresh : sent;
}

describe('RFC 2661 §7.2.1', () => {
  for (const { event, state, message, target } of cells(TABLE)) {
    test(`${event} in ${state}`, () => {
      const before = REACHED[state]?.() ?? {};
      expect(rfcState(before)).toBe(state);
      const outcome = run(before, EVENTS[event] as Delivery);
      expect(said(before, outcome.state, outcome.effects)).toEqual(message === '.' ? [] : [message]);
      expect(rfcState(outcome.state)).toBe(target);
    });
  }

  test('every event of the table has a row', () => {
    expect(Object.keys(EVENTS).sort()).toEqual([...new Set(cells(TABLE).map(({ event }) => event))].sort());
  });
});

/**
 * Beyond the table: what the reliable delivery, the timers and the services say, in our own states.
 * `closed` is the word to ike; `-` nothing.
 */
const OURS = `
                    waitCtlConn    established    stopping           lingering
  Fault             stopping       stopping       stopping           lingering
  CallMessage       stopping       established    stopping           lingering
  CallFault         stopping       established    stopping           lingering
  SetupTimeout      stopping       established    stopping           lingering
  EmptyTimeout      waitCtlConn    stopping       stopping           lingering
  CloseTimeout      waitCtlConn    established    lingering+closed   lingering
  LingerTimeout     waitCtlConn    established    stopping           gone
  GaveUp            gone+closed    gone+closed    gone+closed        gone
  Superseded        gone           gone+closed    gone+closed        gone
  SessionEnded      gone           gone           gone               gone
  IdleTimeout       waitCtlConn    established    stopping           lingering
  Close             stopping       stopping       stopping           lingering
  CallOver          waitCtlConn    established    stopping           lingering
  Restored          waitCtlConn    established    stopping           lingering
  HELLO             waitCtlConn    established    stopping           lingering
  StopCCN           lingering+closed  lingering+closed  lingering+closed  lingering
  SCCRQ             stopping       stopping       stopping           lingering
  AckTimeout        waitCtlConn    established    stopping           lingering
`;

describe('the events around the table', () => {
  const reached: Record<string, () => SessionState> = {
    waitCtlConn: () => REACHED['wait-ctl-conn']?.() ?? {},
    established: () => REACHED.established?.() ?? {},
    stopping: () => run(REACHED.established?.() ?? {}, tell('SCCRP', { heard: ACCEPTABLE })).state,
    lingering: () => run(REACHED.established?.() ?? {}, tell('StopCCN', { heard: STOP })).state,
  };
  const heard = { ...ACCEPTABLE, type: 'WEN', fault: { error: 8, text: 'x' } };
  const top = (state: SessionState) => {
    const value = state[ID]?.value;
    return value === undefined ? 'gone' : typeof value === 'string' ? value : Object.keys(value)[0];
  };
  for (const { event, state, message, target } of cells(OURS.replaceAll('+closed', '/closed'))) {
    const [expected, closed] = target === '' ? [message, undefined] : [message, target];
    test(`${event} in ${state}`, () => {
      const more = {
        heard: event === 'StopCCN' ? STOP : event === 'SCCRQ' ? ACCEPTABLE : heard,
        reason: 'operator',
        call: 1,
      };
      const outcome = run(reached[state]?.() ?? {}, tell(event, more));
      expect(top(outcome.state)).toBe(expected);
      const told = outcome.effects.some(({ effect }) => effect.type === 'tunnel.closed');
      expect(told).toBe(closed === 'closed');
    });
  }
});

describe('what is acceptable', () => {
  const context = begotten()[ID]?.context as TunnelContext;

  test('RFC 2661 §4.4.2: another protocol version is told ours', () => {
    const heard = {
      ...ACCEPTABLE,
      values: { ...ACCEPTABLE.values, protocolVersion: { version: 2, revision: 0 } },
    };
    expect(refusalOf(context, heard)?.code).toEqual({ result: 5, error: 0x0100 });
  });

  test('§5.1.1: a challenge without a secret, a missing response, a wrong one', () => {
    expect(refusalOf(context, UNACCEPTABLE)?.code).toEqual({ result: 4 });
    expect(refusalOf(context, { ...UNACCEPTABLE, response: new Uint8Array(16) })).toBeUndefined();
    const asking = { ...context, challenge: new Uint8Array(16) };
    expect(refusalOf(asking, ACCEPTABLE)?.reason).toBe('authentication-failed');
    expect(refusalOf(asking, { ...ACCEPTABLE, proof: 'wrong' })?.code).toEqual({ result: 4 });
    expect(refusalOf(asking, { ...ACCEPTABLE, proof: 'right' })).toBeUndefined();
  });

  test('§4.4.3: the tie-breaker', () => {
    const low = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1);
    const high = Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 0);
    expect(tieBreak(low, high)).toBe('won');
    expect(tieBreak(high, low)).toBe('lost');
    expect(tieBreak(low, low)).toBe('both-lost');
    expect(tieBreak(undefined, low)).toBe('lost');
    expect(tieBreak(low, undefined)).toBe('won');
    expect(tieBreak(undefined, undefined)).toBe('none');
  });
});

test('the machine names no state or event that its table test does not', () => {
  expect(Object.keys(tunnelMachine.states).sort()).toEqual(
    ['established', 'gone', 'idle', 'lingering', 'stopping', 'waitCtlConn', 'waitCtlReply'].sort(),
  );
});
