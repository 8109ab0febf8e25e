import { callsOf, tunnelsOf } from '@culvert/actors-l2tp';
import { type AvpValues, emitControlMessage, MESSAGES, type MessageName, ruleOf } from '@culvert/wire/l2tp';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Exchange, POLICY } from '../exchange/l2tp/peers.ts';

/**
 * CVE-2022-23253, NULL: control messages of a tunnelling protocol out of order, found by fuzzing with a
 * memory. Any sequence of whole messages, with the right numbers, for the tunnel and for calls that exist,
 * are gone, or never were.
 */
const NAMES = Object.keys(MESSAGES) as MessageName[];
const VALUES: AvpValues = {
  resultCode: { result: 1 },
  protocolVersion: { version: 1, revision: 0 },
  framingCapabilities: 3,
  hostName: 'x',
  receiveWindowSize: 4,
  callSerialNumber: 1,
  minimumBps: 1,
  maximumBps: 1,
  bearerType: 0,
  framingType: 1,
  calledNumber: '1',
  txConnectSpeed: 1,
  accm: { send: 0, receive: 0 },
  callErrors: {
    crcErrors: 0,
    framingErrors: 0,
    hardwareOverruns: 0,
    bufferOverruns: 0,
    timeoutErrors: 0,
    alignmentErrors: 0,
  },
};

function say(exchange: Exchange, type: MessageName, sessionId: number): void {
  const tunnel = tunnelsOf(exchange.lns.state)[0]?.context;
  const { delivery } = tunnel ?? {};
  const first = type === 'SCCRQ';
  const header = {
    tunnelId: first ? 0 : (tunnel?.localId ?? 1),
    sessionId,
    ns: first ? 0 : (delivery?.nr ?? 0),
    nr: first ? 0 : (delivery?.queue[delivery.sent]?.ns ?? delivery?.ns ?? 0),
  };
  const values = Object.fromEntries(
    ruleOf(type).must.map((name) => [name, name.startsWith('assigned') ? 7 : VALUES[name]]),
  );
  exchange.lns.receive(emitControlMessage(header, { type, values }));
  exchange.lns.outbox.length = 0;
}

/** Before a tunnel, with one that is half up, and with one that has a call. */
const BEGINNINGS: readonly (readonly MessageName[])[] = [[], ['SCCRQ'], ['SCCRQ', 'SCCCN', 'ICRQ', 'ICCN']];

test.each(BEGINNINGS.map((names) => [names.join(', ') || 'nothing', names] as const))(
  'after %s: every order of any three messages',
  (_, beginning) => {
    for (const one of NAMES) {
      for (const two of NAMES) {
        for (const three of NAMES) {
          const exchange = new Exchange();
          let session = 0;
          for (const name of [...beginning, one, two, three]) {
            say(exchange, name, session);
            session = callsOf(exchange.lns.state)[0]?.context.ours ?? session;
          }
          const { state } = exchange.lns;
          expect(tunnelsOf(state).length).toBeLessThanOrEqual(POLICY.tunnelsMax * 2);
          const known = tunnelsOf(state).flatMap(({ context }) => context.calls.map(({ ours }) => ours));
          expect(callsOf(state).map(({ context }) => context.ours)).toEqual(known);
        }
      }
    }
  },
);

test('any longer order, to calls that are, were, or never will be, ends with nothing left', () => {
  const spoken = fc.record({ type: fc.constantFrom(...NAMES), call: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(spoken, { maxLength: 40, size: 'max' }), (sequence) => {
      const exchange = new Exchange();
      for (const { type, call } of sequence) {
        say(exchange, type, callsOf(exchange.lns.state)[call]?.context.ours ?? call);
      }
      exchange.lns.take({ kind: 'ended', reason: 'session-ended' });
      expect(exchange.lns.states()).toEqual({});
    }),
    { numRuns: 150 },
  );
});
