import { type ClassifyPolicy, callsOf, tunnelsOf } from '@culvert/actors-l2tp';
import { NO_TIMERS } from '@culvert/kernel';
import { describe, expect, test } from 'vitest';
import { codes, Exchange, POLICY } from './peers.ts';

describe('set-up', () => {
  test('RFC 2661 §5.1 and §5.2.1: tunnel and incoming call', () => {
    const exchange = new Exchange();
    exchange.lac.dial();
    exchange.pass(1_000);
    // SCCRQ -->; <-- SCCRP; SCCCN -->; ICRQ -->; <-- ICRP; ICCN -->; <-- ZLB
    expect(exchange.spoken()).toEqual([
      'SCCRQ -->',
      '<-- SCCRP',
      'SCCCN -->',
      'ICRQ -->',
      '<-- ICRP',
      'ICCN -->',
      '<-- ZLB',
    ]);
    expect(Object.values(exchange.lns.states())).toEqual(['established', 'established']);
    expect(Object.values(exchange.lac.states())).toEqual(['established', 'established']);
    expect(exchange.lns.tells('tunnel.opened')).toHaveLength(1);
    const [call] = callsOf(exchange.lns.state);
    expect(exchange.lns.tells('link.start')).toEqual([
      { type: 'link.start', call: call?.context.ours, callingStation: '192.0.2.9' },
    ]);
    expect(call?.context.theirs).toBe(70);
    expect(call?.context.peerTunnel).toBe(7);
  });

  test('ike hears of the tunnel with its first call, when it is stored: nobody waits for one that may be forgotten', () => {
    const exchange = new Exchange();
    exchange.lose = ({ what }) => what === 'ICRQ';
    exchange.connect();
    expect(Object.values(exchange.lns.states())).toEqual(['established']);
    expect(exchange.lns.tells('tunnel.opened')).toHaveLength(0);
    exchange.lose = () => false;
    exchange.pass(8_000);
    expect(exchange.lns.tells('tunnel.opened')).toHaveLength(1);
  });

  test('RFC 2661 Appendix B.2: a lost ICRP is repeated and the duplicate ICRQ acknowledged', () => {
    const exchange = new Exchange();
    let lost = 0;
    exchange.lose = ({ what }) => what === 'ICRP' && lost++ === 0;
    exchange.connect();
    exchange.pass(3_000);
    expect(Object.values(exchange.lns.states())).toEqual(['established', 'established']);
    expect(exchange.lns.tells('link.start')).toHaveLength(1);
  });

  test.each(['SCCRQ', 'SCCRP', 'SCCCN', 'ICRQ', 'ICRP', 'ICCN', 'ZLB'])('any one lost: %s', (which) => {
    const exchange = new Exchange();
    let lost = 0;
    exchange.lose = ({ what }) => what === which && lost++ < 1;
    exchange.connect();
    exchange.pass(5_000);
    expect(Object.values(exchange.lns.states())).toEqual(['established', 'established']);
    expect(exchange.lns.tells('link.start')).toHaveLength(1);
  });

  test('several calls in one tunnel have Session IDs of their own', () => {
    const exchange = new Exchange();
    exchange.connect();
    for (const call of [71, 72, 73]) exchange.lac.dial(7, call);
    exchange.pass(1_000);
    const ours = callsOf(exchange.lns.state).map(({ context }) => context.ours);
    expect(new Set(ours).size).toBe(4);
    // RFC 2661 §7.4.2, not acceptable: the limit.
    const cdn = codes(exchange, 'CDN');
    exchange.lac.dial(7, 74);
    exchange.pass(1_000);
    expect(cdn).toEqual([{ result: 4 }]);
    expect(callsOf(exchange.lns.state)).toHaveLength(4);
  });
});

describe('tunnel authentication, RFC 2661 §5.1.1', () => {
  const policy: ClassifyPolicy = { ...POLICY, tunnel: { ...POLICY.tunnel, authenticate: true } };

  test('both ways with the same secret', () => {
    const exchange = new Exchange({ lac: policy, lns: policy }, { lac: 'sesame', lns: 'sesame' });
    exchange.connect();
    expect(Object.values(exchange.lns.states())).toEqual(['established', 'established']);
  });

  test('the LAC has no secret', () => {
    const exchange = new Exchange({ lns: policy }, { lns: 'sesame' });
    exchange.connect();
    expect(exchange.lns.tells('tunnel.opened')).toHaveLength(0);
    expect(exchange.lns.tells('tunnel.closed')).toEqual([{ type: 'tunnel.closed', reason: 'peer-closed' }]);
  });

  test('the LAC has another secret', () => {
    const exchange = new Exchange({ lac: POLICY, lns: policy }, { lac: 'wrong', lns: 'sesame' });
    const stop = codes(exchange, 'StopCCN');
    exchange.connect();
    expect(stop).toEqual([{ result: 4 }]);
    expect(exchange.lns.tells('tunnel.closed')).toEqual([
      { type: 'tunnel.closed', reason: 'authentication-failed' },
    ]);
  });
});

describe('a peer that begins again', () => {
  test('a duplicate SCCRQ is acknowledged and founds nothing', () => {
    const exchange = new Exchange();
    exchange.lac.dial();
    const [sccrq] = exchange.lac.outbox;
    exchange.pass(1_000);
    exchange.spoken();
    if (sccrq === undefined) throw new Error('no SCCRQ');
    exchange.lns.receive(sccrq);
    exchange.settle();
    expect(exchange.spoken()).toEqual(['<-- ZLB']);
    expect(tunnelsOf(exchange.lns.state)).toHaveLength(1);
  });

  test('under the same Tunnel ID, later: the old tunnel goes without a word', () => {
    const exchange = new Exchange();
    exchange.connect();
    exchange.pass(40_000);
    exchange.lac.state = {};
    exchange.lac.timers = NO_TIMERS;
    exchange.lac.dial();
    exchange.pass(1_000);
    expect(tunnelsOf(exchange.lns.state)).toHaveLength(1);
    expect(Object.values(exchange.lns.states())).toEqual(['established', 'established']);
    expect(exchange.lns.tells('link.stop')).toHaveLength(1);
    expect(exchange.lns.tells('link.start')).toHaveLength(2);
    expect(exchange.spoken().filter((line) => line.includes('StopCCN'))).toEqual([]);
  });

  test('a client that forgets tunnel after tunnel is let in each time: the oldest goes without a word', () => {
    const exchange = new Exchange();
    for (const tunnel of [11, 12, 13, 14, 15, 16]) {
      exchange.lac.state = {};
      exchange.lac.timers = NO_TIMERS;
      exchange.lac.dial(tunnel, tunnel * 10);
      exchange.pass(10_000);
    }
    const known = tunnelsOf(exchange.lns.state).filter(({ value }) => value === 'established');
    expect(known.map(({ context }) => context.peerId)).toEqual([13, 14, 15, 16]);
    expect(exchange.lns.tells('link.start')).toHaveLength(6);
    expect(exchange.lns.tells('link.stop')).toHaveLength(2);
    expect(exchange.spoken().filter((line) => line.includes('StopCCN'))).toEqual([]);
  });

  test('other Tunnel IDs are other tunnels, up to the limit, and their calls are never confused', () => {
    const exchange = new Exchange();
    for (const tunnel of [11, 12, 13, 14, 15]) exchange.lac.dial(tunnel, tunnel * 10);
    exchange.pass(1_000);
    expect(tunnelsOf(exchange.lns.state)).toHaveLength(4);
    expect(exchange.lns.drops).toContain('tunnel-limit');
    const ours = callsOf(exchange.lns.state).map(({ context }) => context.ours);
    expect(new Set(ours.map((id) => id & 7)).size).toBe(4);
  });
});
