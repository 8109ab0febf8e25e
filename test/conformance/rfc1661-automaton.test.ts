import { type AutomatonContext, type AutomatonEvent, automaton } from '@culvert/actors-ppp';
import { restored, type Step, step } from '@culvert/kernel';
import { codes, parseControlPacket } from '@culvert/wire/ppp';
import { describe, expect, test } from 'vitest';
import type { AnyMachineSnapshot } from 'xstate';

/**
 * RFC 1661 §4.1, transcribed. The letters p, r and x behind a state are footnotes about options that are
 * not taken; '-' is an illegal transition: no transition is taken (§4.4).
 */
const TABLE = `
        initial starting   closed     stopped        closing   stopping
  Up    2       irc,scr/6  -          -              -         -
  Down  -       -          0          tls/1          0         1
  Open  tls/1   1          irc,scr/6  3              5         5
  Close 0       tlf/0      2          2              4         4
  TO+   -       -          -          -              str/4     str/5
  TO-   -       -          -          -              tlf/2     tlf/3
  RCR+  -       -          sta/2      irc,scr,sca/8  4         5
  RCR-  -       -          sta/2      irc,scr,scn/6  4         5
  RCA   -       -          sta/2      sta/3          4         5
  RCN   -       -          sta/2      sta/3          4         5
  RTR   -       -          sta/2      sta/3          sta/4     sta/5
  RTA   -       -          2          3              tlf/2     tlf/3
  RUC   -       -          scj/2      scj/3          scj/4     scj/5
  RXJ+  -       -          2          3              4         5
  RXJ-  -       -          tlf/2      tlf/3          tlf/2     tlf/3
  RXR   -       -          2          3              4         5

        reqSent    ackRcvd    ackSent    opened
  Up    -          -          -          -
  Down  1          1          1          tld/1
  Open  6          7          8          9
  Close irc,str/4  irc,str/4  irc,str/4  tld,irc,str/4
  TO+   scr/6      scr/6      scr/8      -
  TO-   tlf/3      tlf/3      tlf/3      -
  RCR+  sca/8      sca,tlu/9  sca/8      tld,scr,sca/8
  RCR-  scn/6      scn/7      scn/6      tld,scr,scn/6
  RCA   irc/7      scr/6      irc,tlu/9  tld,scr/6
  RCN   irc,scr/6  scr/6      irc,scr/8  tld,scr/6
  RTR   sta/6      sta/6      sta/6      tld,zrc,sta/5
  RTA   6          6          8          tld,scr/6
  RUC   scj/6      scj/7      scj/8      scj/9
  RXJ+  6          6          8          9
  RXJ-  tlf/3      tlf/3      tlf/3      tld,irc,str/5
  RXR   6          7          8          ser/9
`;

const STATES = 'initial starting closed stopped closing stopping reqSent ackRcvd ackSent opened'.split(' ');
/** §4.1: "identifiable by the presence of TO events". */
const TIMED = new Set(['closing', 'stopping', 'reqSent', 'ackRcvd', 'ackSent']);
const LIMITS = {
  restartMs: 3_000,
  restartInitialMs: 1_000,
  maxConfigure: 10,
  maxTerminate: 2,
  maxFailure: 5,
};

interface Cell {
  readonly event: string;
  readonly state: string;
  /** Undefined: illegal. */
  readonly legal?: { readonly actions: readonly string[]; readonly target: string };
}

function cells(table: string): Cell[] {
  const all: Cell[] = [];
  let states: string[] = [];
  for (const line of table.split('\n').map((text) => text.trim().split(/\s+/))) {
    if (line[0] === '') continue;
    if (STATES.includes(line[0] ?? '')) {
      states = line;
      continue;
    }
    const [event = '', ...row] = line;
    expect(row).toHaveLength(states.length);
    for (const [column, text] of row.entries()) {
      const match = /^(?:([a-z,]+)\/)?(\d)$/.exec(text);
      const target = STATES[Number(match?.[2])] ?? '';
      const legal = match === null ? {} : { legal: { actions: match[1]?.split(',') ?? [], target } };
      all.push({ event, state: states[column] ?? '', ...legal });
    }
  }
  return all;
}

const none = new Uint8Array(0);
const EVENTS: Readonly<Record<string, AutomatonEvent>> = {
  Up: { type: 'Up' },
  Down: { type: 'Down' },
  Open: { type: 'Open' },
  Close: { type: 'Close' },
  'TO+': { type: 'TO' },
  'TO-': { type: 'TO' },
  'RCR+': { type: 'RCR+', reply: { code: codes.configureAck, identifier: 9, data: none }, options: [] },
  'RCR-': { type: 'RCR-', reply: { code: codes.configureNak, identifier: 9, data: none } },
  RCA: { type: 'RCA' },
  RCN: { type: 'RCN', request: [], refused: [] },
  RTR: { type: 'RTR', identifier: 77 },
  RTA: { type: 'RTA' },
  RUC: { type: 'RUC', data: none },
  'RXJ+': { type: 'RXJ+' },
  'RXJ-': { type: 'RXJ-' },
  RXR: { type: 'RXR', reply: { code: codes.echoReply, identifier: 9, data: none } },
};

const COUNTER = 6;
const PERIOD = 1_000;

function at(state: string, restartCounter: number): AnyMachineSnapshot {
  const context: AutomatonContext = {
    owner: 'link/1',
    layer: 'lcp',
    call: 1,
    protocol: 0xc021,
    limits: LIMITS,
    request: [],
    refused: [],
    identifier: 5,
    requestIdentifier: 5,
    restartCounter,
    periodMs: PERIOD,
    failures: 0,
    ours: [],
    theirs: [],
    closeText: '',
  };
  return restored(automaton, { value: TIMED.has(state) ? { timed: state } : state, context: { ...context } });
}

function leaf(snapshot: AnyMachineSnapshot): string {
  return typeof snapshot.value === 'string' ? snapshot.value : String(Object.values(snapshot.value)[0]);
}

type Effect = { type: string; event?: { type: string }; information?: Uint8Array };

const PACKETS: Readonly<Record<number, string>> = {
  1: 'scr',
  2: 'sca',
  3: 'scn',
  4: 'scn',
  5: 'str',
  6: 'sta',
  7: 'scj',
  10: 'ser',
};
const TOLD: Readonly<Record<string, string>> = {
  LayerUp: 'tlu',
  LayerDown: 'tld',
  LayerStarted: 'tls',
  LayerFinished: 'tlf',
};

function names(effects: readonly Effect[]): string[] {
  return effects.map((effect) => {
    if (effect.type === 'tell') return TOLD[effect.event?.type ?? ''] ?? `told ${effect.event?.type}`;
    const packet = parseControlPacket(effect.information ?? none);
    return packet.ok ? (PACKETS[packet.value.code] ?? `code ${packet.value.code}`) : packet.reason;
  });
}

function take(cell: Cell): { before: AnyMachineSnapshot; after: Step<AnyMachineSnapshot, Effect> } {
  const before = at(cell.state, cell.event === 'TO-' ? 0 : COUNTER);
  const event = EVENTS[cell.event];
  if (event === undefined) throw new Error(`no event ${cell.event}`);
  return { before, after: step(automaton, before as never, event) };
}

/** irc sets, scr and str decrement, zrc clears (§4.4); what does neither leaves the counter alone. */
function counterAfter(actions: readonly string[], before: number): number {
  const sent = actions.filter((action) => action === 'scr' || action === 'str').length;
  if (actions.includes('zrc')) return 0;
  if (!actions.includes('irc')) return before - sent;
  return (actions.includes('str') ? LIMITS.maxTerminate : LIMITS.maxConfigure) - sent;
}

describe('RFC 1661 §4.1', () => {
  const all = cells(TABLE);

  test('the transcript has every cell', () => {
    expect(all).toHaveLength(16 * 10);
    expect(all.filter((cell) => cell.legal !== undefined)).toHaveLength(120);
  });

  for (const cell of all) {
    const { event, state, legal } = cell;
    if (legal === undefined) {
      test(`${event} in ${state} is illegal and changes nothing`, () => {
        const { before, after } = take(cell);
        expect(after.snapshot).toBe(before);
        expect(after.effects).toEqual([]);
        expect(after.timers).toEqual([]);
      });
      continue;
    }
    test(`${event} in ${state}`, () => {
      const { before, after } = take(cell);
      expect(leaf(after.snapshot)).toBe(legal.target);
      // §4.1 leaves the order of actions to the implementation.
      const visible = legal.actions.filter((action) => action !== 'irc' && action !== 'zrc');
      expect(names(after.effects).sort()).toEqual([...visible].sort());
      const counted = (snapshot: AnyMachineSnapshot) => (snapshot.context as AutomatonContext).restartCounter;
      expect(counted(after.snapshot)).toBe(counterAfter(legal.actions, counted(before)));
      const lastChange = after.timers.at(-1)?.op;
      const starts = legal.actions.some((action) => ['scr', 'str', 'zrc'].includes(action));
      const stops = TIMED.has(state) && !TIMED.has(legal.target);
      expect(lastChange).toBe(starts ? 'arm' : stops ? 'disarm' : undefined);
    });
  }
});

describe('RFC 1661 §4.6', () => {
  const fire = (snapshot: AnyMachineSnapshot) =>
    step<typeof automaton, Effect>(automaton, snapshot as never, { type: 'TO' });
  const armed = (timers: Step<unknown, unknown>['timers']) =>
    timers.flatMap((timer) => (timer.op === 'arm' ? [timer.afterMs] : []));

  test('Max-Configure requests, the period doubling up to the Restart timer, one Identifier', () => {
    let current = step<typeof automaton, Effect>(automaton, at('starting', 0) as never, { type: 'Up' });
    const periods = [...armed(current.timers)];
    const identifiers = new Set<number>();
    let requests = 0;
    while (leaf(current.snapshot) === 'reqSent') {
      requests += names(current.effects).filter((name) => name === 'scr').length;
      for (const effect of current.effects) identifiers.add(effect.information?.[1] ?? -1);
      current = fire(current.snapshot);
      periods.push(...armed(current.timers));
    }
    expect(requests).toBe(LIMITS.maxConfigure);
    expect(periods).toEqual([1_000, 2_000, 3_000, 3_000, 3_000, 3_000, 3_000, 3_000, 3_000, 3_000]);
    expect([...identifiers]).toEqual([6]);
    expect(leaf(current.snapshot)).toBe('stopped');
    expect(current.effects).toEqual([
      { type: 'tell', to: 'link/1', event: { type: 'LayerFinished', layer: 'lcp', silent: true } },
    ]);
  });

  test('Max-Terminate requests', () => {
    let current = step<typeof automaton, Effect>(automaton, at('opened', 0) as never, { type: 'Close' });
    let requests = 0;
    while (leaf(current.snapshot) === 'closing') {
      requests += names(current.effects).filter((name) => name === 'str').length;
      current = fire(current.snapshot);
    }
    expect(requests).toBe(LIMITS.maxTerminate);
    expect(leaf(current.snapshot)).toBe('closed');
  });

  test('Max-Failure counts Configure-Naks without a Configure-Ack between them, and no Configure-Rejects', () => {
    const failures = (snapshot: AnyMachineSnapshot) => (snapshot.context as AutomatonContext).failures;
    const told = (snapshot: AnyMachineSnapshot, name: string) =>
      step(automaton, snapshot as never, EVENTS[name] as AutomatonEvent).snapshot as AnyMachineSnapshot;
    const two = told(told(at('reqSent', COUNTER), 'RCR-'), 'RCR-');
    expect(failures(two)).toBe(2);
    const reject: AutomatonEvent = {
      type: 'RCR-',
      reply: { code: codes.configureReject, identifier: 1, data: none },
    };
    const same = step(automaton, two as never, reject).snapshot as AnyMachineSnapshot;
    expect(failures(same)).toBe(2);
    expect(failures(told(same, 'RCR+'))).toBe(0);
  });

  test('§5.5: a Terminate-Ack copies the Identifier', () => {
    const { effects } = step<typeof automaton, Effect>(
      automaton,
      at('opened', 0) as never,
      { type: 'RTR', identifier: 77 } as AutomatonEvent,
    );
    expect(effects.map((effect) => effect.information?.[1])).toContain(77);
  });

  test('§5.1: a request with other options takes a new Identifier', () => {
    const { snapshot } = step(automaton, at('reqSent', COUNTER) as never, EVENTS.RCN as AutomatonEvent);
    expect((snapshot.context as AutomatonContext).requestIdentifier).toBe(6);
  });
});
