import { CALLS_PER_SESSION_MAX, callsOf, tunnelsOf } from '@culvert/actors-l2tp';
import { describe, expect, test } from 'vitest';
import { codes, Exchange, POLICY } from './peers.ts';

describe('hostile', () => {
  const raw = (exchange: Exchange, ns: number, avps: readonly number[], sessionId = 0) => {
    const [tunnel] = tunnelsOf(exchange.lns.state);
    if (tunnel === undefined) throw new Error('no tunnel');
    const { localId, delivery } = tunnel.context;
    const acknowledged = delivery.queue[delivery.sent]?.ns ?? delivery.ns;
    const u16 = (value: number) => [value >> 8, value & 0xff];
    const fixed = [localId, sessionId, ns, acknowledged].flatMap(u16);
    exchange.lns.receive(Uint8Array.from([0xc8, 2, ...u16(12 + avps.length), ...fixed, ...avps]));
    exchange.settle();
  };
  const nr = (exchange: Exchange) => tunnelsOf(exchange.lns.state)[0]?.context.delivery.nr ?? 0;

  test('RFC 2661 §4.1: an unknown mandatory AVP in a message of the tunnel stops the tunnel', () => {
    const exchange = new Exchange();
    exchange.connect();
    const stop = codes(exchange, 'StopCCN');
    raw(exchange, nr(exchange), [0x80, 8, 0, 0, 0, 0, 0, 6, 0x80, 6, 0, 0, 0x27, 0x0f]);
    expect(stop).toEqual([{ result: 2, error: 8, message: 'unknown AVP vendor 0 attribute 9999' }]);
    // The honest LAC cannot acknowledge: it never sent what was answered.
    exchange.pass(3_000);
    expect(exchange.lns.tells('tunnel.closed')).toEqual([
      { type: 'tunnel.closed', reason: 'protocol-error' },
    ]);
    expect(exchange.lns.tells('link.stop')).toHaveLength(1);
  });

  test('in a message of a session it ends the session alone', () => {
    const exchange = new Exchange();
    exchange.connect();
    const cdn = codes(exchange, 'CDN');
    const call = callsOf(exchange.lns.state)[0]?.context.ours ?? 0;
    raw(exchange, nr(exchange), [0x80, 8, 0, 0, 0, 0, 0, 15, 0x80, 6, 0, 0, 0x27, 0x0f], call);
    expect(cdn).toEqual([{ result: 2, error: 8, message: 'unknown AVP vendor 0 attribute 9999' }]);
    expect(Object.values(exchange.lns.states())).toEqual(['established']);
  });

  test('the words of a peer stand beside the operator’s line, which they cannot make a new one of', () => {
    const lines = ['one', 'another'].map((advice) => {
      const exchange = new Exchange();
      exchange.connect();
      const call = callsOf(exchange.lac.state)[0]?.context.ours ?? 0;
      exchange.lac.take({ kind: 'disconnect', call, reason: 'protocol-error', advice });
      exchange.settle();
      return exchange.lns.tells('explain')[0];
    });
    const text = 'call ended by the peer';
    const result = (words: string) =>
      `CDN, general error: field value out of range or reserved field non-zero (${words})`;
    expect(lines).toEqual([
      { type: 'explain', text, result: result('one') },
      { type: 'explain', text, result: result('another') },
    ]);
  });

  test('without M it is as if it had not been there', () => {
    const exchange = new Exchange();
    exchange.connect();
    raw(exchange, nr(exchange), [0x80, 8, 0, 0, 0, 0, 0, 6, 0x00, 6, 0, 0, 0x27, 0x0f]);
    expect(Object.values(exchange.lns.states())).toEqual(['established', 'established']);
  });

  test('an unknown message is ignored without M, and with M it stops the tunnel (§4.4.1)', () => {
    const exchange = new Exchange();
    exchange.connect();
    const before = nr(exchange);
    raw(exchange, before, [0x00, 8, 0, 0, 0, 0, 0, 99]);
    expect(nr(exchange)).toBe(before + 1);
    expect(Object.values(exchange.lns.states())).toEqual(['established', 'established']);
    const stop = codes(exchange, 'StopCCN');
    raw(exchange, nr(exchange), [0x80, 8, 0, 0, 0, 0, 0, 99]);
    expect(stop).toEqual([{ result: 2, error: 3, message: 'unknown mandatory Message Type 99' }]);
  });

  test('an ICRQ with an unknown mandatory AVP is turned away with CDN to the Session ID it brought', () => {
    const exchange = new Exchange();
    exchange.connect();
    const cdn = codes(exchange, 'CDN');
    const icrq = [0x80, 8, 0, 0, 0, 0, 0, 10, 0x80, 8, 0, 0, 0, 14, 0, 99, 0x80, 10, 0, 0, 0, 15, 0, 0, 0, 1];
    raw(exchange, nr(exchange), [...icrq, 0x80, 6, 0, 0, 0x27, 0x0f]);
    expect(cdn.map(({ result, error }) => ({ result, error }))).toEqual([{ result: 2, error: 8 }]);
    expect(callsOf(exchange.lns.state)).toHaveLength(1);
  });

  test('a CDN that lacks its Result Code ends the call all the same, and is not answered by another', () => {
    const exchange = new Exchange();
    exchange.connect();
    const call = callsOf(exchange.lns.state)[0]?.context.ours ?? 0;
    exchange.spoken();
    raw(exchange, nr(exchange), [0x80, 8, 0, 0, 0, 0, 0, 14], call);
    expect(exchange.spoken()).toEqual(['<-- ZLB']);
    expect(callsOf(exchange.lns.state)).toEqual([]);
  });

  test('RFC 2661 §7.5.1: an outgoing call is turned away', () => {
    const exchange = new Exchange();
    exchange.connect();
    const cdn = codes(exchange, 'CDN');
    const u32 = (type: number) => [0x80, 10, 0, 0, 0, type, 0, 0, 0, 1];
    const ocrq = [0x80, 8, 0, 0, 0, 0, 0, 7, 0x80, 8, 0, 0, 0, 14, 0, 99];
    raw(exchange, nr(exchange), [...ocrq, ...[15, 16, 17, 18, 19].flatMap(u32), 0x80, 7, 0, 0, 0, 21, 0x31]);
    expect(cdn).toEqual([{ result: 5 }]);
  });

  test('a whole window of requests and a StopCCN in one step stay below the delivery limit', () => {
    const policy = { tunnelsMax: 1, tunnel: { ...POLICY.tunnel, callsMax: CALLS_PER_SESSION_MAX } };
    const exchange = new Exchange({ lns: policy });
    exchange.connect();
    const icrq = (id: number) => [
      0x80,
      8,
      0,
      0,
      0,
      0,
      0,
      10,
      0x80,
      8,
      0,
      0,
      0,
      14,
      1,
      id,
      0x80,
      10,
      0,
      0,
      0,
      15,
      0,
      0,
      0,
      1,
    ];
    for (let round = 0; round < 2; round += 1) {
      const from = nr(exchange);
      for (let index = 7; index >= 0; index -= 1) raw(exchange, from + index, icrq(round * 8 + index + 1));
    }
    exchange.pass(1_000);
    expect(callsOf(exchange.lns.state).length).toBe(CALLS_PER_SESSION_MAX);
    const from = nr(exchange);
    raw(
      exchange,
      from + 7,
      [0x80, 8, 0, 0, 0, 0, 0, 4, 0x80, 8, 0, 0, 0, 9, 0, 7, 0x80, 8, 0, 0, 0, 1, 0, 1],
    );
    for (let index = 6; index >= 0; index -= 1) raw(exchange, from + index, icrq(100 + index));
    expect(Object.values(exchange.lns.states())).toEqual(['lingering']);
  });

  test('packets of other tunnels, other ports, or no tunnel are dropped', () => {
    const exchange = new Exchange();
    exchange.connect();
    const header = { tunnelId: 1, sessionId: 0, ns: 0, nr: 0 };
    const innerPorts = { local: 1701, remote: 1701 };
    const control = { kind: 'control', innerPorts, callingStation: '', header } as const;
    exchange.lns.take(control);
    exchange.lns.take({ ...control, header: { ...header, tunnelId: 0 } });
    const tunnelId = tunnelsOf(exchange.lns.state)[0]?.context.localId ?? 0;
    exchange.lns.take({
      ...control,
      header: { ...header, tunnelId },
      innerPorts: { local: 1701, remote: 1702 },
    });
    expect(exchange.lns.drops).toEqual(['unknown-tunnel', 'no-tunnel-id', 'wrong-ports']);
  });
});
