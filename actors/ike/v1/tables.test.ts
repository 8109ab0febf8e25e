import { type Delivery, type Happening, restored, type Stamped, step } from '@culvert/kernel';
import { describe, expect, test } from 'vitest';
import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import type { InformationalEvent } from './informational/events.ts';
import { informational } from './informational/machine.ts';
import { newContext as isakmpContext } from './isakmp-sa/context.ts';
import type { IsakmpSaHappening } from './isakmp-sa/events.ts';
import { isakmpSa } from './isakmp-sa/machine.ts';
import { newContext as quickContext } from './quick-mode/context.ts';
import type { QuickModeHappening } from './quick-mode/events.ts';
import { quickMode } from './quick-mode/machine.ts';
import type { SessionHappening } from './session/events.ts';
import { session } from './session/machine.ts';

/**
 * Every state × event cell of the four machines, as text. A cell is `effects/state`: the effects in order
 * (`tell:X` is event X for a sibling), then the state after it; `-` is a cell in which nothing happens.
 */
interface Table {
  readonly name: string;
  readonly machine: AnyStateMachine;
  readonly text: string;
  readonly states: Readonly<Record<string, AnyMachineSnapshot['value']>>;
  readonly context: Record<string, unknown>;
  readonly events: Readonly<Record<string, Happening>>;
}

const AT = 1_000_000;
const STAMP = { at: AT, entropy: new Uint8Array(32) };
const PATH = {
  node: 'a',
  listener: 'main',
  flow: { local: { address: '192.0.2.1', port: 500 }, remote: { address: '198.51.100.7', port: 500 } },
  nonEspMarker: false,
};
const NOTHING = new Uint8Array(0);
const COOKIE = '00c0ffee00c0ffee';
const REFUSAL = { phase: 'phase 1', reason: 'x', offered: [], allowed: '', looksLike: '' } as const;
const ANSWER = { kind: 'SA', proposals: [] } as const;
const SUITE = { encryption: 'aes-cbc-256', hash: 'sha1', group: 14 } as const;

function named<E extends Happening>(
  events: readonly E[],
  ...more: readonly [string, E][]
): Record<string, E> {
  return Object.fromEntries([...events.map((event): [string, E] => [event.type, event]), ...more]);
}

const identity = { idType: 1, text: '10.0.0.1' };
const isakmpEvents = named<IsakmpSaHappening>([
  {
    type: 'SA+',
    request: 'r',
    path: PATH,
    selection: { suite: SUITE, lifeSeconds: 3600, answer: ANSWER },
    saBody: NOTHING,
    vendors: ['RFC 3947', 'DPD'],
    client: 'x',
    forceEncapsulation: false,
    fragmentation: true,
  },
  { type: 'SA-', request: 'r', path: PATH, refusal: REFUSAL, notifyType: 14 },
  { type: 'KE', request: 'r', path: PATH, publicValue: NOTHING, nonce: NOTHING },
  { type: 'DH+', publicValue: NOTHING },
  { type: 'DH-', reason: 'out-of-range' },
  { type: 'AUTH+', request: 'r', path: PATH, identity, psk: 'office', initialContact: false },
  { type: 'AUTH-', path: PATH, candidates: ['office'] },
  { type: 'ADMITTED' },
  { type: 'DUPLICATE', messageId: 0, path: PATH },
  { type: 'MOVED', path: { ...PATH, nonEspMarker: true } },
  { type: 'QM-', path: PATH, refusal: REFUSAL, notifyType: 14, messageId: 7, spi: NOTHING },
  { type: 'SEND', payloads: [] },
  { type: 'INITIAL-CONTACT' },
  { type: 'DELETED' },
  { type: 'CLOSE' },
  { type: 'DROP' },
  { type: 'DEAD' },
  { type: 'HALF-OPEN' },
  { type: 'LIFETIME' },
]);

const first: QuickModeHappening = {
  type: 'QM1',
  request: 'r',
  path: PATH,
  selection: {
    encryption: 'aes-cbc-256',
    integrity: 'hmac-sha1-96',
    encapsulation: 'udp',
    lifeSeconds: 3600,
    shortened: false,
    peerSpi: 0x1000,
    chosen: { number: 1, protocol: 3, spi: NOTHING, transforms: [] },
  },
  nonce: NOTHING,
  ids: {
    initiator: { kind: 'ID', idType: 1, ipProtocol: 17, port: 1701, data: new Uint8Array(4) },
    responder: { kind: 'ID', idType: 1, ipProtocol: 17, port: 1701, data: new Uint8Array(4) },
  },
  spi: 0x2000,
};
const quickEvents = named<QuickModeHappening>(
  [
    first,
    { type: 'DH+', publicValue: NOTHING },
    { type: 'DH-', reason: 'out-of-range' },
    { type: 'QM3' },
    { type: 'UNCONFIRMED' },
    { type: 'DUPLICATE', path: PATH },
    { type: 'DELETED' },
    { type: 'DROP' },
    { type: 'CROWDED' },
    { type: 'LIFETIME' },
  ],
  ['QM1+PFS', { ...first, publicValue: NOTHING }],
);

const dpdEvents = {
  'R-U-THERE': { type: 'R-U-THERE', sequence: 5 },
  'R-U-THERE-old': { type: 'R-U-THERE', sequence: 3 },
  'ACK+': { type: 'R-U-THERE-ACK', sequence: 9 },
  'ACK-': { type: 'R-U-THERE-ACK', sequence: 8 },
  'ACTIVITY+': { type: 'ACTIVITY', idleMs: 10 },
  'ACTIVITY-': { type: 'ACTIVITY', idleMs: undefined },
  PROBE: { type: 'PROBE' },
  STOP: { type: 'STOP' },
  IDLE: { type: 'IDLE' },
  RETRY: { type: 'RETRY' },
} satisfies Record<string, Omit<InformationalEvent, keyof Stamped> | Happening>;

const sessionEvents = named<SessionHappening>(
  [
    { type: 'ISAKMP-UP', id: 'isakmp-sa/b' },
    { type: 'IPSEC-UP', id: 'quick-mode/b', spi: 0x3000 },
    { type: 'ANNOUNCE-DELETE', spis: [0x2000] },
    { type: 'TUNNEL-OPENED' },
    { type: 'TUNNEL-CLOSED', reason: 'peer-closed' },
    { type: 'CLOSE', reason: 'operator' },
    { type: 'SUPERSEDED' },
    { type: 'AWAITED' },
    { type: 'GIVE-UP' },
  ],
  ['ISAKMP-DOWN last', { type: 'ISAKMP-DOWN', id: 'isakmp-sa/a', silent: false }],
  ['ISAKMP-DOWN silent', { type: 'ISAKMP-DOWN', id: 'isakmp-sa/a', silent: true }],
  ['ISAKMP-DOWN other', { type: 'ISAKMP-DOWN', id: 'isakmp-sa/z', silent: true }],
  ['IPSEC-DOWN last', { type: 'IPSEC-DOWN', id: 'quick-mode/a', expired: false }],
  ['IPSEC-DOWN other', { type: 'IPSEC-DOWN', id: 'quick-mode/z', expired: false }],
  ['TOLD known', { type: 'TOLD', known: true }],
  ['TOLD unknown', { type: 'TOLD', known: false }],
);

const TABLES: readonly Table[] = [
  {
    name: 'isakmp-sa (RFC 2409 §5.4, responder)',
    machine: isakmpSa,
    states: {
      idle: 'idle',
      mm2Sent: { halfOpen: 'mm2Sent' },
      agreeing: { halfOpen: 'agreeing' },
      mm4Sent: { halfOpen: 'mm4Sent' },
      admitting: { halfOpen: 'admitting' },
      established: 'established',
      refused: 'refused',
    },
    context: {
      ...isakmpContext({
        cookie: COOKIE,
        initiatorCookie: COOKIE,
        path: PATH,
        halfOpenMs: 30_000,
        dpd: { intervalMs: 1, timeoutMs: 2 },
      }),
      suite: SUITE,
      lifeSeconds: 3600,
      exchange: { publicI: NOTHING, nonceI: NOTHING, nonceR: NOTHING },
      identity,
      psk: 'office',
    },
    events: isakmpEvents,
    text: `
                       idle                         mm2Sent                agreeing              mm4Sent                  admitting                                                established                                                            refused
      SA+              mm2.send/mm2Sent             -                      -                     -                        -                                                        -                                                                      -
      SA-              notify.clear,report/refused  -                      -                     -                        -                                                        -                                                                      -
      KE               -                            dh.agree/agreeing      -                     -                        -                                                        -                                                                      -
      DH+              -                            -                      mm4.send/mm4Sent      -                        -                                                        -                                                                      -
      DH-              -                            -                      report/refused        -                        -                                                        -                                                                      -
      AUTH+            -                            -                      -                     session.admit/admitting  -                                                        -                                                                      -
      AUTH-            -                            -                      -                     report/mm4Sent           -                                                        -                                                                      -
      ADMITTED         -                            -                      -                     -                        mm6.send,beget,tell:ISAKMP-UP,report/established         -                                                                      -
      DUPLICATE        -                            answer.repeat/mm2Sent  answer.repeat/agreeing answer.repeat/mm4Sent   answer.repeat/admitting                                  answer.repeat/established                                              answer.repeat/refused
      MOVED            -                            -                      -                     -                        -                                                        /established                                                           -
      QM-              -                            -                      -                     -                        -                                                        informational.send,report/established                                  -
      SEND             -                            -                      -                     -                        -                                                        informational.send/established                                         -
      INITIAL-CONTACT  -                            -                      -                     -                        -                                                        contact.initial/established                                            -
      DELETED          -                            -                      -                     -                        -                                                        tell:STOP,tell:ISAKMP-DOWN,report/gone                                 -
      CLOSE            /gone                        /gone                  /gone                 /gone                    /gone                                                    informational.send,tell:STOP,tell:ISAKMP-DOWN,report/gone              /gone
      DROP             /gone                        /gone                  /gone                 /gone                    /gone                                                    tell:STOP,tell:ISAKMP-DOWN,report/gone                                 /gone
      DEAD             -                            -                      -                     -                        -                                                        tell:STOP,tell:ISAKMP-DOWN,report/gone                                 -
      HALF-OPEN        -                            report/gone            report/gone           report/gone              report/gone                                              -                                                                      /gone
      LIFETIME         -                            -                      -                     -                        -                                                        informational.send,tell:STOP,tell:ISAKMP-DOWN,report/gone              -
    `,
  },
  {
    name: 'quick-mode (RFC 2409 §5.5, responder)',
    machine: quickMode,
    states: {
      idle: 'idle',
      agreeing: 'agreeing',
      answered: { up: 'answered' },
      established: { up: 'established' },
    },
    context: { ...quickContext({ id: 'quick-mode/a', isakmpSa: COOKIE, messageId: 7 }), first, path: PATH },
    events: quickEvents,
    text: `
                   idle                             agreeing                         answered                                            established
      QM1          tell:IPSEC-UP,qm2.send/answered  -                                -                                                   -
      QM1+PFS      tell:IPSEC-UP,dh.agree/agreeing  -                                -                                                   -
      DH+          -                                qm2.send/answered                -                                                   -
      DH-          -                                report,tell:IPSEC-DOWN/gone                      -                                                   -
      QM3          -                                -                                report/established                                  /established
      UNCONFIRMED  -                                tell:IPSEC-DOWN/gone                                report/established                                  -
      DUPLICATE    -                                -                                answer.repeat/answered                              answer.repeat/established
      DELETED      -                                -                                tell:IPSEC-DOWN,report/gone                         tell:IPSEC-DOWN,report/gone
      DROP         /gone                            tell:IPSEC-DOWN/gone                            tell:IPSEC-DOWN,report/gone                         tell:IPSEC-DOWN,report/gone
      CROWDED      -                                -                                tell:ANNOUNCE-DELETE,tell:IPSEC-DOWN,report/gone    tell:ANNOUNCE-DELETE,tell:IPSEC-DOWN,report/gone
      LIFETIME     -                                -                                tell:ANNOUNCE-DELETE,tell:IPSEC-DOWN,report/gone    tell:ANNOUNCE-DELETE,tell:IPSEC-DOWN,report/gone
    `,
  },
  {
    name: 'informational (RFC 3706)',
    machine: informational,
    states: { quiet: 'quiet', asking: 'asking', probing: 'probing' },
    context: {
      isakmpSa: 'isakmp-sa/a',
      cookies: COOKIE + COOKIE,
      probes: true,
      intervalMs: 30_000,
      timeoutMs: 120_000,
      sequence: 9,
      peerSequence: 4,
      probingSince: AT - 1000,
    },
    events: dpdEvents,
    text: `
                     quiet                asking              probing
      R-U-THERE      tell:SEND/quiet      tell:SEND/asking    tell:SEND/probing
      R-U-THERE-old  -                    -                   -
      ACK+           -                    /quiet              /quiet
      ACK-           -                    -                   -
      ACTIVITY+      -                    /quiet              -
      ACTIVITY-      -                    tell:SEND/probing   -
      PROBE          tell:SEND/probing    tell:SEND/probing   -
      STOP           /gone                /gone               /gone
      IDLE           activity.ask/asking  -                   -
      RETRY          -                    -                   activity.ask/asking
    `,
  },
  {
    name: 'session (charter 6)',
    machine: session,
    states: { forming: 'forming', tunnelAwaited: 'tunnelAwaited', open: 'open', closing: 'closing' },
    context: {
      isakmpSas: ['isakmp-sa/a'],
      ipsecSas: [{ id: 'quick-mode/a', spi: 0x2000 }],
      reason: 'operator',
    },
    events: sessionEvents,
    text: `
                          forming                                    tunnelAwaited                                          open                                                   closing
      ISAKMP-UP           /forming                                   /tunnelAwaited                                         /open                                                  /closing
      ISAKMP-DOWN~last    /gone                                      /tunnelAwaited                                         /open                                                  /closing
      ISAKMP-DOWN~silent  /gone                                      tell:DROP,l2tp.request,report/gone                     tell:DROP,l2tp.request,report/gone                     /closing
      ISAKMP-DOWN~other   /forming                                   /tunnelAwaited                                         /open                                                  /closing
      IPSEC-UP            /tunnelAwaited                             /tunnelAwaited                                         /open                                                  /closing
      IPSEC-DOWN~last     /forming                                   tell:CLOSE,l2tp.request,report/gone                    tell:CLOSE,l2tp.request,report/gone                    tell:CLOSE,l2tp.request,report/gone
      IPSEC-DOWN~other    /forming                                   /tunnelAwaited                                         /open                                                  /closing
      ANNOUNCE-DELETE     tell:SEND/forming                          tell:SEND/tunnelAwaited                                tell:SEND/open                                         tell:SEND/closing
      TUNNEL-OPENED       -                                          /open                                                  -                                                      -
      TUNNEL-CLOSED       -                                          -                                                      /tunnelAwaited                                         tell:SEND,tell:DROP,tell:CLOSE,l2tp.request,report/gone
      CLOSE               tell:SEND,tell:DROP,tell:CLOSE/gone        tell:SEND,tell:DROP,tell:CLOSE,l2tp.request,report/gone l2tp.request/closing                                  -
      SUPERSEDED          tell:DROP,tell:DROP/gone                   tell:DROP,tell:DROP,l2tp.request,report/gone           tell:DROP,tell:DROP,l2tp.request,report/gone           tell:DROP,tell:DROP,l2tp.request,report/gone
      TOLD~known          -                                          -                                                      -                                                      /closing
      TOLD~unknown        -                                          -                                                      -                                                      tell:SEND,tell:DROP,tell:CLOSE,l2tp.request,report/gone
      AWAITED             tell:SEND,tell:DROP,tell:CLOSE/gone        tell:SEND,tell:DROP,tell:CLOSE,l2tp.request,report/gone -                                                     -
      GIVE-UP             -                                          -                                                      -                                                      tell:SEND,tell:DROP,tell:CLOSE,l2tp.request,report/gone
    `,
  },
];

function leaf(value: AnyMachineSnapshot['value']): string {
  return typeof value === 'string' ? value : leaf(Object.values(value)[0] ?? '');
}

function effectName(effect: Happening): string {
  const delivery = effect as Delivery;
  return delivery.type === 'tell' ? `tell:${delivery.event.type}` : effect.type;
}

for (const { name, machine, text, states, context, events } of TABLES) {
  describe(name, () => {
    const [heading, ...rows] = text.trim().split('\n');
    const columns = (heading ?? '').trim().split(/\s+/);
    const seen = new Set<string>();
    for (const row of rows) {
      const [label, ...cells] = row.trim().split(/\s+/);
      const event = events[(label ?? '').replace('~', ' ')];
      if (event === undefined || label === undefined) throw new Error(`no event ${label}`);
      seen.add(label.replace('~', ' '));
      for (const [index, column] of columns.entries()) {
        test(`${label.replace('~', ' ')} in ${column}`, () => {
          const before = restored(machine, { value: states[column] ?? '', context });
          const outcome = step<AnyStateMachine, Happening>(machine, before, {
            ...event,
            ...STAMP,
          } as Stamped);
          const nothing =
            outcome.snapshot.value === before.value && outcome.snapshot.context === before.context;
          const effects = outcome.effects.map(effectName).join(',');
          const silent = nothing && effects === '' && outcome.timers.length === 0;
          expect(silent ? '-' : `${effects}/${leaf(outcome.snapshot.value)}`).toBe(
            asWritten(cells[index], silent, column),
          );
          // A machine that is gone has left the session: it must be final.
          expect(outcome.snapshot.status).toBe(leaf(outcome.snapshot.value) === 'gone' ? 'done' : 'active');
        });
      }
    }

    test('the table has every state and every event', () => {
      expect(columns).toEqual(Object.keys(states));
      expect([...seen].sort()).toEqual(Object.keys(events).sort());
    });
  });
}

/** `/state` of the same state, where nothing changed after all, says no more than `-`. */
function asWritten(cell: string | undefined, silent: boolean, column: string): string | undefined {
  return silent && cell === `/${column}` ? '-' : cell;
}
