import { type Delivery, type SessionState, stepSession } from '@culvert/kernel';
import { describe, expect, test } from 'vitest';
import type { L2tpEffect } from '../effects.ts';
import { l2tpActors } from '../index.ts';
import type { Heard, Spoken } from '../messages.ts';
import { stopResult } from '../reasons.ts';

const STAMP = { at: 1_000, entropy: new Uint8Array(32) };
const ID = 'call/8';
const PORTS = { local: 1701, remote: 1701 };
const HEARD: Heard = {
  type: 'ICRQ',
  sessionId: 0,
  proof: 'absent',
  values: { assignedSessionId: 70, callSerialNumber: 3, resultCode: { result: 1 } },
};

/** Steps the call alone: what it tells its tunnel comes back as unheard. */
const run = (state: SessionState, ...deliveries: Delivery[]) =>
  stepSession<L2tpEffect>(l2tpActors, state, deliveries, STAMP);
const tell = (type: string, more: object = {}): Delivery => {
  const event = { type, heard: HEARD, ...more };
  return { type: 'tell', to: ID, event };
};
const begotten = (role: 'lns' | 'lac'): SessionState => {
  const ids = { localTunnel: 9, peerTunnel: 7, ours: 8, theirs: role === 'lns' ? 70 : 0 };
  const input = { role, tunnel: 'tunnel/9', ...ids, innerPorts: PORTS, callingStation: '192.0.2.9' };
  return run({}, { type: 'beget', id: ID, input }).state;
};
const then = (state: SessionState, type: string, more: object = {}) => run(state, tell(type, more)).state;

const LNS: Record<string, () => SessionState> = {
  idle: () => begotten('lns'),
  'wait-connect': () => then(begotten('lns'), 'ICRQ'),
  established: () => then(LNS['wait-connect']?.() ?? {}, 'ICCN'),
  closing: () => then(LNS.established?.() ?? {}, 'Close', { reason: 'operator' }),
};
const LAC: Record<string, () => SessionState> = {
  idle: () => begotten('lac'),
  'wait-tunnel': () => then(begotten('lac'), 'LocalOpen'),
  'wait-reply': () => then(LAC['wait-tunnel']?.() ?? {}, 'TunnelOpen', { peerTunnel: 7 }),
  established: () => then(LAC['wait-reply']?.() ?? {}, 'ICRP'),
};

const EVENTS: Record<string, Delivery> = {
  'ICRQ+': tell('ICRQ'),
  'ICRQ-': tell('ICRQ', { refuse: 'limit' }),
  ICRP: tell('ICRP'),
  ICCN: tell('ICCN'),
  OCRQ: tell('OCRQ'),
  OCRP: tell('OCRP'),
  OCCN: tell('OCCN'),
  CDN: tell('CDN'),
  'Local close': tell('Disconnect', { reason: 'operator', advice: '' }),
  'Close in order': tell('Close', { reason: 'operator' }),
  Fault: tell('Fault'),
  'Tunnel gone': tell('TunnelGone', { reason: 'peer-closed' }),
  'Session ended': tell('SessionEnded', { reason: 'session-ended' }),
  'Setup timeout': tell('SetupTimeout'),
  'Close timeout': tell('CloseTimeout'),
  'Ready to indicate': tell('LocalOpen'),
  'tunnel-open': tell('TunnelOpen', { peerTunnel: 7 }),
  WEN: tell('WEN'),
  SLI: tell('SLI'),
};

/**
 * RFC 2661 §7.4.2, and from §7.5.1 and §7.5.2 the idle rows: a cell is the message sent, `,` what PPP is
 * told, and the new state. `none`: nothing happens. The column `closing` and the rows below `CDN` except
 * `Local close` are ours.
 */
const LNS_TABLE = `
                  idle               wait-connect           established         closing
  ICRQ+           ICRP/wait-connect  CDN/idle               CDN,stop/idle       CDN,stop/idle
  ICRQ-           CDN/idle           CDN/idle               CDN,stop/idle       CDN,stop/idle
  ICRP            CDN/idle           CDN/idle               CDN,stop/idle       CDN,stop/idle
  ICCN            ./idle             .,start/established    CDN,stop/idle       CDN,stop/idle
  OCRQ            CDN/idle           CDN/idle               CDN,stop/idle       CDN,stop/idle
  OCRP            CDN/idle           CDN/idle               CDN,stop/idle       CDN,stop/idle
  OCCN            ./idle             CDN/idle               CDN,stop/idle       CDN,stop/idle
  CDN             ./idle             ./idle                 .,stop/idle         .,stop/idle
  Local close     none               CDN/idle               CDN/idle            CDN/idle
  Close in order  none               CDN/idle               .,close/closing     none
  Fault           CDN/idle           CDN/idle               CDN,stop/idle       CDN,stop/idle
  Tunnel gone     none               ./idle                 .,stop/idle         .,stop/idle
  Session ended   none               ./idle                 .,stop/idle         .,stop/idle
  Setup timeout   none               CDN/idle               none                none
  Close timeout   none               none                   none                CDN,stop/idle
  WEN             none               none                   none                none
  SLI             none               none                   none                none
`;

/** RFC 2661 §7.4.1. */
const LAC_TABLE = `
                     idle            wait-tunnel      wait-reply              established
  Ready to indicate  ./wait-tunnel   none             none                    none
  tunnel-open        none            ICRQ/wait-reply  none                    none
  ICRP               CDN/idle        none             ICCN,start/established  CDN,stop/idle
  ICRQ+              CDN/idle        none             CDN/idle                CDN,stop/idle
  ICCN               ./idle          none             ./idle                  CDN,stop/idle
  CDN                ./idle          none             ./idle                  .,stop/idle
  Local close        none            ./idle           CDN/idle                CDN/idle
  Tunnel gone        none            ./idle           ./idle                  .,stop/idle
  Session ended      none            ./idle           ./idle                  .,stop/idle
  Setup timeout      none            none             CDN/idle                none
  Fault              CDN/idle        none             CDN/idle                CDN,stop/idle
  OCRQ               CDN/idle        none             CDN/idle                CDN,stop/idle
`;

function rfcState(state: SessionState): string {
  const value = state[ID]?.value;
  return value === undefined
    ? 'idle'
    : String(value).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function cells(table: string) {
  const [head = '', ...lines] = table.split('\n').filter((line) => line.trim() !== '');
  const states = head.trim().split(/\s+/);
  return lines.flatMap((line) => {
    const [event = '', ...columns] = line.trim().split(/\s{2,}/);
    return columns.map((cell, index) => {
      const state = states[index] ?? '';
      const [what = '', target = ''] = cell === 'none' ? ['.', state] : cell.split('/');
      const [message = '', ppp] = what.split(',');
      return { event, state, message, ppp, target };
    });
  });
}

function spoken(unheard: readonly Delivery[]): Spoken[] {
  return unheard.flatMap((one) =>
    one.type === 'tell' && one.event.type === 'Send'
      ? [(one.event as unknown as { message: Spoken }).message]
      : [],
  );
}

for (const [section, table, reached] of [
  ['RFC 2661 §7.4.2, LNS', LNS_TABLE, LNS],
  ['RFC 2661 §7.4.1, LAC', LAC_TABLE, LAC],
] as const) {
  describe(section, () => {
    for (const { event, state, message, ppp, target } of cells(table)) {
      test(`${event} in ${state}`, () => {
        const before = reached[state]?.() ?? {};
        expect(rfcState(before)).toBe(state);
        const outcome = run(before, EVENTS[event] as Delivery);
        expect(spoken(outcome.unheard).map(({ type }) => type)).toEqual(message === '.' ? [] : [message]);
        expect(rfcState(outcome.state)).toBe(target);
        const links = outcome.effects.flatMap(({ effect }) =>
          effect.type.startsWith('link.') ? [effect.type] : [],
        );
        expect(links).toEqual(ppp === undefined ? [] : [`link.${ppp}`]);
        // Whoever leaves says so to the tunnel, once.
        const left = outcome.unheard.filter((one) => one.type === 'tell' && one.event.type === 'CallOver');
        expect(left).toHaveLength(outcome.state[ID] === undefined ? 1 : 0);
      });
    }
  });
}

describe('what is said', () => {
  const cdn = (state: SessionState, event: Delivery) => spoken(run(state, event).unheard)[0]?.values;

  test('ICRP answers to the Session ID that ICRQ brought', () => {
    const [icrp] = spoken(run(begotten('lns'), tell('ICRQ')).unheard);
    expect(icrp).toEqual({ type: 'ICRP', sessionId: 70, values: { assignedSessionId: 8 } });
  });

  test('RFC 3145: an end by PPP is explained', () => {
    const values = cdn(
      LNS.established?.() ?? {},
      tell('Disconnect', { reason: 'peer-silent', advice: 'no echo' }),
    );
    expect(values).toEqual({
      resultCode: { result: 1, error: 0, message: 'no echo' },
      assignedSessionId: 8,
      pppDisconnectCauseCode: { code: 8, controlProtocol: 0xc021, direction: 0, message: 'no echo' },
    });
  });

  test('RFC 2661 §4.2: the fatal AVP is named', () => {
    const heard = { ...HEARD, fault: { error: 8, text: 'unknown AVP vendor 9 attribute 1' } };
    const values = cdn(LNS.established?.() ?? {}, tell('Fault', { heard }));
    expect(values?.resultCode).toEqual({ result: 2, error: 8, message: 'unknown AVP vendor 9 attribute 1' });
  });

  test('§5.4: Sequencing Required is remembered', () => {
    const heard = { ...HEARD, values: { sequencingRequired: true as const } };
    const state = then(LNS['wait-connect']?.() ?? {}, 'ICCN', { heard });
    expect(state[ID]?.context.sequencing).toBe(true);
  });

  test('a shutdown is called so', () => {
    expect(stopResult('shutdown')).toEqual({ result: 6 });
  });
});
