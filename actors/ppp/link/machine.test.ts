import { restored, step } from '@culvert/kernel';
import { authenticationProtocolOption, magicNumberOption, mruOption, protocols } from '@culvert/wire/ppp';
import { describe, expect, test } from 'vitest';
import type { AnyMachineSnapshot } from 'xstate';
import { AUTOMATON_LIMITS } from '../automaton/limits.ts';
import { type LinkContext, newLink, type Sibling } from './context.ts';
import type { LinkEvent } from './events.ts';
import { link } from './machine.ts';
import type { PppSettings } from './settings.ts';

const STATES = ['dead', 'establish', 'asking', 'leasing', 'network', 'terminate'] as const;
type State = (typeof STATES)[number];

const settings: PppSettings = {
  name: 'culvert',
  mru: 1400,
  pfcAcfc: true,
  methods: ['ms-chap-v2', 'pap'],
  automaton: AUTOMATON_LIMITS,
  establishMs: 35_000,
  authenticateMs: 60_000,
  echo: { intervalMs: 30_000, failures: 4 },
  dns: [],
  dns6: [],
  families: [4],
};

const ours = [
  mruOption(1400),
  authenticationProtocolOption({ protocol: 0xc223, algorithm: 0x81 }),
  magicNumberOption(5),
];
const lease = { ipv4: { address: Uint8Array.of(10, 0, 0, 2), gateway: Uint8Array.of(10, 0, 0, 1) } };

const VALUES: Readonly<Record<State, AnyMachineSnapshot['value']>> = {
  dead: 'dead',
  establish: { live: 'establish' },
  asking: { live: { authenticate: 'asking' } },
  leasing: { live: { authenticate: 'leasing' } },
  network: { live: 'network' },
  terminate: 'terminate',
};

function at(state: State): AnyMachineSnapshot {
  const reached = STATES.indexOf(state);
  const siblings: Sibling[] = ['lcp', 'auth', 'echo', 'ipcp', 'ipv6cp'];
  const context: LinkContext = {
    ...newLink({ call: 1, callingStation: '198.51.100.7', settings }),
    siblings: siblings.slice(0, [0, 1, 3, 3, 5, 1][reached]),
    ...(reached > 0 && { methods: settings.methods }),
    ...(reached > 1 && { lcp: { ours, theirs: [] } }),
    ...(reached > 2 && { user: 'alice', policy: {}, leasing: true }),
    ...(state === 'network' && { lease, networks: { ipcp: 'opened', ipv6cp: 'finished' }, opened: true }),
    ...(state === 'terminate' && { ending: { reason: 'operator', message: 'closed by the operator' } }),
  };
  return restored(link, { value: VALUES[state], context: { ...context } });
}

/**
 * Every phase against every event. Left of the arrow what is emitted, in short: `+x` begets a machine,
 * `x!` tells it, `-x` dismisses it. A dot: nothing happens.
 */
const TABLE = `
  event                 dead                        establish                    asking                           leasing                          network                              terminate
  Start                 offer>dead                  .                            .                                .                                .                                    .
  Offered               +lcp,lcp!,lcp!,early>establish  .                        .                                .                                .                                    .
  Offered-none          explain,disconnect>ended    .                            .                                .                                .                                    .
  LayerStarted          .                           .                            .                                .                                .                                    .
  LcpUp                 .                           +auth,auth!,+echo,echo!>asking  .                             .                                .                                    .
  IpcpUp                .                           .                            .                                .                                auth!>network                             .
  LcpRenegotiates       .                           >establish                   -auth,-echo>establish            -auth,-echo>establish            -auth,-echo,-ipcp,-ipv6cp>establish  >terminate
  LcpTerminated         .                           explain>terminate            explain,-auth,-echo>terminate    explain,-auth,-echo>terminate    explain,-auth,-echo,-ipcp,-ipv6cp>terminate  >terminate
  IpcpDown              .                           .                            .                                .                                >network                             .
  LcpFinished           .                           explain,-lcp,disconnect>ended  explain,-lcp,-auth,-echo,disconnect>ended  explain,-lcp,-auth,-echo,release,disconnect>ended  explain,-lcp,-auth,-echo,-ipcp,-ipv6cp,release,disconnect>ended  -lcp,release,disconnect>ended
  IpcpFinished          .                           .                            .                                .                                explain,lcp!>terminate               .
  Failed                .                           explain,lcp!>terminate       explain,lcp!>terminate           explain,lcp!>terminate           explain,lcp!>terminate               .
  Accepted              .                           .                            lease>leasing                    .                                .                                    .
  Refused               .                           .                            explain,lcp!>terminate           explain,lcp!>terminate           .                                    .
  Leased                .                           .                            .                                auth!,+ipcp,ipcp!,ipcp!>network  .                                    .
  Leased-nothing        .                           .                            .                                auth!,explain,lcp!>terminate     .                                    .
  Unleased              .                           .                            .                                auth!,explain,lcp!>terminate     .                                    .
  Unknown               .                           .                            .                                .                                frame>network                        .
  Rejected-chap         .                           .                            explain,lcp!>terminate           explain,lcp!>terminate           .                                    .
  Rejected-ipv6cp       .                           .                            .                                .                                ipv6cp!>network                      .
  Identified            >dead                       >establish                   >asking                          >leasing                         >network                             >terminate
  CloseLink             explain,disconnect>ended    explain,lcp!>terminate       explain,lcp!>terminate           explain,lcp!>terminate           explain,lcp!>terminate               .
  StopLink              explain>stopped             explain,-lcp>stopped         explain,-lcp,-auth,-echo>stopped  explain,-lcp,-auth,-echo,release>stopped  explain,-lcp,-auth,-echo,-ipcp,-ipv6cp,release>stopped  -lcp,release>stopped
  PhaseExpired          explain,disconnect>ended    explain,lcp!>terminate       explain,lcp!>terminate           explain,lcp!>terminate           explain,lcp!>terminate               .
  LifetimeExpired       .                           explain,lcp!>terminate       explain,lcp!>terminate           explain,lcp!>terminate           explain,lcp!>terminate               .
`;

const EVENTS: Readonly<Record<string, LinkEvent>> = {
  Start: { type: 'Start' },
  Offered: { type: 'Offered', methods: ['pap', 'ms-chap-v2'] },
  'Offered-none': { type: 'Offered', methods: ['chap-md5'] },
  LayerStarted: { type: 'LayerStarted', layer: 'ipcp' },
  LcpUp: { type: 'LayerUp', layer: 'lcp', ours, theirs: [] },
  IpcpUp: { type: 'LayerUp', layer: 'ipcp', ours: [], theirs: [] },
  LcpRenegotiates: { type: 'LayerDown', layer: 'lcp', cause: 'RCR+' },
  LcpTerminated: { type: 'LayerDown', layer: 'lcp', cause: 'RTR' },
  IpcpDown: { type: 'LayerDown', layer: 'ipcp', cause: 'RCR+' },
  LcpFinished: { type: 'LayerFinished', layer: 'lcp', silent: true },
  IpcpFinished: { type: 'LayerFinished', layer: 'ipcp', silent: false },
  Failed: { type: 'Failed', reason: 'peer-silent', message: 'silence' },
  Accepted: { type: 'Accepted', user: 'alice', policy: {} },
  Refused: { type: 'Refused', reason: 'wrong-password', user: 'alice' },
  Leased: { type: 'Leased', lease },
  'Leased-nothing': { type: 'Leased', lease: {} },
  Unleased: { type: 'Unleased', reason: 'exhausted' },
  Unknown: { type: 'Unknown', protocol: protocols.ccp, data: new Uint8Array(2) },
  'Rejected-chap': { type: 'Rejected', protocol: protocols.chap },
  'Rejected-ipv6cp': { type: 'Rejected', protocol: protocols.ipv6cp },
  Identified: { type: 'Identified', message: new TextEncoder().encode('MSRASV5.20') },
  CloseLink: { type: 'CloseLink', reason: 'operator' },
  StopLink: { type: 'StopLink', reason: 'session-ended' },
  PhaseExpired: { type: 'PhaseExpired' },
  LifetimeExpired: { type: 'LifetimeExpired' },
};

const SHORT: Readonly<Record<string, string>> = {
  'frame.send': 'frame',
  'early.take': 'early',
  'aaa.offer': 'offer',
  'aaa.lease': 'lease',
  'aaa.release': 'release',
  'call.disconnect': 'disconnect',
};

type Effect = { type: string; id?: string; to?: string; event?: { type: string } };

function nameOf(effect: Effect): string {
  const kind = (id = '') => id.split('/')[0];
  if (effect.type === 'beget') return `+${kind(effect.id)}`;
  if (effect.type === 'tell')
    return effect.event?.type === 'Dismiss' ? `-${kind(effect.to)}` : `${kind(effect.to)}!`;
  return SHORT[effect.type] ?? effect.type;
}

function leafOf(value: unknown): string {
  return typeof value === 'string' ? value : leafOf(Object.values(value as object)[0]);
}

const stamp = { at: 1_000, entropy: new Uint8Array(32).fill(3) };
const play = (snapshot: AnyMachineSnapshot, event: LinkEvent) =>
  step<typeof link, Effect>(link, snapshot as never, { ...event, ...stamp } as LinkEvent);

describe('RFC 1661 §3.2: the phases of a link', () => {
  const rows = TABLE.split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('event '))
    .map((line) => line.split(/\s+/));

  test('no event is left out', () => {
    expect(rows.map(([name]) => name)).toEqual(Object.keys(EVENTS));
  });

  for (const [name = '', ...row] of rows) {
    for (const [column, state] of STATES.entries()) {
      test(`${name} in ${state}: ${row[column]}`, () => {
        const before = at(state);
        const after = play(before, EVENTS[name] as LinkEvent);
        if (row[column] === '.') {
          expect(after.effects.map(nameOf)).toEqual([]);
          expect(after.snapshot).toBe(before);
          return;
        }
        const [emitted, target] = (row[column] ?? '').split('>');
        expect(`${after.effects.map(nameOf).join(',')}>${leafOf(after.snapshot.value)}`).toBe(
          `${emitted}>${target}`,
        );
      });
    }
  }
});

describe('what no order of events may bring about', () => {
  test('a lease from before a renegotiation admits nobody', () => {
    const again = play(
      play(at('leasing'), EVENTS.LcpRenegotiates as LinkEvent).snapshot,
      EVENTS.LcpUp as LinkEvent,
    );
    expect(leafOf(again.snapshot.value)).toBe('asking');
    expect(play(again.snapshot, EVENTS.Leased as LinkEvent).snapshot).toBe(again.snapshot);
  });

  test('a second authentication as somebody else ends the link', () => {
    const again = play(
      play(at('network'), EVENTS.LcpRenegotiates as LinkEvent).snapshot,
      EVENTS.LcpUp as LinkEvent,
    );
    const other = play(again.snapshot, { type: 'Accepted', user: 'mallory', policy: {} });
    expect(leafOf(other.snapshot.value)).toBe('terminate');
  });

  test("the session's time is not renewed by authenticating again", () => {
    const limited: LinkEvent = { type: 'Accepted', user: 'alice', policy: { sessionTimeoutMs: 60_000 } };
    const first = play(at('asking'), limited);
    expect(first.timers).toContainEqual({
      op: 'arm',
      id: 'lifetime',
      afterMs: 60_000,
      event: { type: 'LifetimeExpired' },
    });
    const again = play(
      play(first.snapshot, EVENTS.LcpRenegotiates as LinkEvent).snapshot,
      EVENTS.LcpUp as LinkEvent,
    );
    expect(play(again.snapshot, limited).timers.filter((timer) => timer.id === 'lifetime')).toEqual([]);
  });

  test('the first reason is the one that is told', () => {
    const closing = play(at('network'), EVENTS.CloseLink as LinkEvent);
    const ended = play(closing.snapshot, EVENTS.LcpFinished as LinkEvent);
    expect(ended.effects).toContainEqual(
      expect.objectContaining({ type: 'call.disconnect', reason: 'operator' }),
    );
    expect(ended.effects.filter((effect) => effect.type === 'explain')).toEqual([]);
  });

  test('a peer cannot make its names grow', () => {
    let snapshot = at('network');
    for (let count = 0; count < 20; count += 1) {
      const message = new TextEncoder().encode(`\u001b[2J${count} ${'x'.repeat(2_000)}`);
      snapshot = play(snapshot, { type: 'Identified', message }).snapshot;
    }
    const { identifications } = snapshot.context as LinkContext;
    expect(identifications).toHaveLength(4);
    for (const text of identifications) expect(text).toMatch(/^[\x20-\x7e]{1,64}$/);
  });
});
