import { callsOf, tunnelsOf } from '@culvert/actors-l2tp';
import { NO_TIMERS } from '@culvert/kernel';
import { type AvpValues, emitControlMessage, MESSAGES, type MessageName, ruleOf } from '@culvert/wire/l2tp';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Exchange } from './peers.ts';

/** Everything a peer may do, well formed or not, in any order; a fault of ours would throw. */

const NAMES = Object.keys(MESSAGES) as MessageName[];
/** Said more often, so that a run gets somewhere. */
const USUAL: MessageName[] = ['SCCRQ', 'SCCCN', 'ICRQ', 'ICRQ', 'ICCN', 'CDN', 'HELLO'];
const SAMPLES: AvpValues = {
  resultCode: { result: 1 },
  protocolVersion: { version: 1, revision: 0 },
  framingCapabilities: 3,
  hostName: 'x',
  callSerialNumber: 1,
  minimumBps: 1,
  maximumBps: 1,
  bearerType: 0,
  framingType: 1,
  calledNumber: '1',
  txConnectSpeed: 1,
  callErrors: {
    crcErrors: 0,
    framingErrors: 0,
    hardwareOverruns: 0,
    bufferOverruns: 0,
    timeoutErrors: 0,
    alignmentErrors: 0,
  },
  accm: { send: 0, receive: 0 },
};

const act = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('say' as const),
      type: fc.constantFrom(...NAMES, ...USUAL, ...USUAL),
      /** Relative to what is expected. */
      ns: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 7, 8, -1, 32_768),
      nr: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, -1, 500),
      tunnel: fc.nat(3),
      call: fc.constantFrom('ours' as const, 'zero' as const, 'other' as const),
      assigned: fc.integer({ min: 1, max: 4 }),
      whole: fc.nat(9).map((one) => one > 0),
      mandatory: fc.boolean(),
      unknown: fc.nat(9).map((one) => one === 0),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(10, 1_000, 4_000, 31_000, 61_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('service' as const),
      kind: fc.constantFrom(
        'close' as const,
        'disconnect' as const,
        'activity' as const,
        'restored' as const,
      ),
      idleMs: fc.constantFrom(undefined, 0, 100_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('noise' as const), octets: fc.uint8Array({ maxLength: 60 }) }),
  },
);
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

function say(exchange: Exchange, given: Extract<Act, { do: 'say' }>): void {
  const tunnels = tunnelsOf(exchange.lns.state);
  const tunnel = tunnels[given.tunnel]?.context;
  const calls = callsOf(exchange.lns.state);
  const sessionId = given.call === 'zero' ? 0 : given.call === 'other' ? 9 : (calls[0]?.context.ours ?? 0);
  const { delivery } = tunnel ?? {};
  const next = delivery === undefined ? 0 : (delivery.queue[delivery.sent]?.ns ?? delivery.ns);
  const header = {
    tunnelId: given.type === 'SCCRQ' ? 0 : (tunnel?.localId ?? 0),
    sessionId,
    ns: ((delivery?.nr ?? 0) + given.ns + 65_536) % 65_536,
    nr: (next + given.nr + 65_536) % 65_536,
  };
  const first = given.type === 'SCCRQ' ? { ...header, ns: 0, nr: 0 } : header;
  const needed = given.whole ? ruleOf(given.type).must : ruleOf(given.type).must.slice(1);
  const values = Object.fromEntries(
    needed.map((name) => [name, name.startsWith('assigned') ? given.assigned : SAMPLES[name]]),
  );
  const octets = emitControlMessage(first, { type: given.type, values });
  const extra = given.unknown ? [given.mandatory ? 0x80 : 0, 6, 0, 0, 0x7f, 0xff] : [];
  const whole = Uint8Array.from([...octets, ...extra]);
  whole.set([whole.length >> 8, whole.length & 0xff], 2);
  exchange.lns.receive(whole);
}

function perform(exchange: Exchange, given: Act): void {
  const { lns } = exchange;
  const tunnel = tunnelsOf(lns.state)[0]?.id ?? 'tunnel/1';
  const call = callsOf(lns.state)[0]?.context.ours ?? 1;
  if (given.do === 'say') say(exchange, given);
  else if (given.do === 'pass') exchange.pass(given.ms);
  else if (given.do === 'noise') {
    const header = emitControlMessage({ tunnelId: 1, sessionId: 0, ns: 0, nr: 0 });
    exchange.lns.receive(Uint8Array.from([...header, ...given.octets]));
  } else if (given.kind === 'close') lns.take({ kind: 'close', reason: 'operator' });
  else if (given.kind === 'disconnect') lns.take({ kind: 'disconnect', call, reason: 'limit', advice: '' });
  else if (given.kind === 'restored') lns.take({ kind: 'restored' });
  else
    lns.take({ kind: 'activity', tunnel, ...(given.idleMs === undefined ? {} : { idleMs: given.idleMs }) });
  lns.outbox.length = 0;
}

describe('any sequence', () => {
  test('of messages, services and time: no fault of ours, bounded, and in the end nothing is left', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60, size: 'max' }), fc.boolean(), (acts, begun) => {
        const exchange = new Exchange();
        if (begun) exchange.connect();
        exchange.lac.timers = NO_TIMERS;
        exchange.lac.state = {};
        for (const given of acts) {
          perform(exchange, given);
          const { state } = exchange.lns;
          expect(tunnelsOf(state).length).toBeLessThanOrEqual(8);
          expect(callsOf(state).length).toBeLessThanOrEqual(16);
          for (const { context } of tunnelsOf(state)) {
            expect(context.delivery.queue.length).toBeLessThanOrEqual(64);
            expect(context.delivery.early.length).toBeLessThan(8);
          }
          // Every call has a tunnel that knows it, and the other way round.
          const known = tunnelsOf(state).flatMap(({ context }) => context.calls.map(({ ours }) => ours));
          expect(
            callsOf(state)
              .map(({ context }) => context.ours)
              .sort(),
          ).toEqual(known.sort());
        }
        exchange.lns.take({ kind: 'close', reason: 'shutdown' });
        exchange.pass(120_000);
        expect(exchange.lns.states()).toEqual({});
        expect(exchange.lns.timers.timers).toEqual({});
      }),
      { numRuns: 200 },
    );
  });

  test('a session that ends at any point is gone at once, and its calls’ links are stopped', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 20 }), (acts) => {
        const exchange = new Exchange();
        exchange.connect();
        exchange.lac.timers = NO_TIMERS;
        for (const given of acts) perform(exchange, given);
        exchange.lns.take({ kind: 'ended', reason: 'session-ended' });
        expect(exchange.lns.states()).toEqual({});
        expect(exchange.lns.timers.timers).toEqual({});
        const of = (type: 'link.start' | 'link.stop') => exchange.lns.tells(type).length;
        const disconnected = acts.filter(
          (given) => given.do === 'service' && given.kind === 'disconnect',
        ).length;
        expect(of('link.start') - of('link.stop')).toBeLessThanOrEqual(disconnected);
      }),
      { numRuns: 200 },
    );
  });
});

describe('loss, at random', () => {
  test('of any messages of the set-up: it comes about or ends, and is never half', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), (fate) => {
        const exchange = new Exchange();
        let index = 0;
        exchange.lose = () => fate[index++] ?? false;
        exchange.lac.dial();
        exchange.pass(200_000);
        const up =
          Object.values(exchange.lns.states()).filter((value) => value === 'established').length === 2;
        expect(exchange.lns.tells('link.start').length - exchange.lns.tells('link.stop').length).toBe(
          up ? 1 : 0,
        );
        if (!up) expect(callsOf(exchange.lns.state)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});
