import { callsOf, l2tpActors, tunnelsOf } from '@culvert/actors-l2tp';
import {
  NO_TIMERS,
  restoredSession,
  type StoredSession,
  storedSession,
  type TimerTable,
} from '@culvert/kernel';
import { describe, expect, test } from 'vitest';
import { Exchange, type Peer } from './peers.ts';

describe('end', () => {
  test('the client hangs up: StopCCN, acknowledged at once, and for a full cycle again', () => {
    const exchange = new Exchange();
    exchange.connect();
    exchange.lac.take({ kind: 'close', reason: 'operator' });
    const ours = callsOf(exchange.lac.state)[0]?.context.ours ?? 0;
    exchange.lac.take({ kind: 'disconnect', call: ours, reason: 'operator', advice: '' });
    exchange.settle();
    expect(exchange.spoken()).toEqual(['CDN -->', 'StopCCN -->', '<-- ZLB', '<-- ZLB']);
    expect(exchange.lns.tells('link.stop')).toHaveLength(1);
    expect(exchange.lns.tells('tunnel.closed')).toEqual([{ type: 'tunnel.closed', reason: 'peer-closed' }]);
    expect(Object.values(exchange.lns.states())).toEqual(['lingering']);
    exchange.pass(31_000);
    expect(exchange.lns.states()).toEqual({});
    expect(exchange.lns.timers.timers).toEqual({});
  });

  test('close in order: PPP, CDN, StopCCN, then ike is told', () => {
    const exchange = new Exchange();
    exchange.connect();
    const call = callsOf(exchange.lns.state)[0]?.context.ours ?? 0;
    exchange.lns.take({ kind: 'close', reason: 'operator' });
    exchange.settle();
    expect(exchange.spoken()).toEqual([]);
    expect(exchange.lns.tells('link.close')).toEqual([{ type: 'link.close', call, reason: 'operator' }]);
    exchange.lns.take({ kind: 'disconnect', call, reason: 'operator', advice: 'goodbye' });
    exchange.settle();
    expect(exchange.spoken()).toEqual(['<-- CDN', '<-- StopCCN', 'ZLB -->', 'ZLB -->']);
    expect(exchange.lns.tells('link.stop')).toHaveLength(0);
    expect(exchange.lns.tells('tunnel.closed')).toEqual([{ type: 'tunnel.closed', reason: 'operator' }]);
  });

  test('close in order when PPP and the client are both silent takes two steps of three seconds', () => {
    const exchange = new Exchange();
    exchange.connect();
    exchange.lns.take({ kind: 'close', reason: 'shutdown' });
    exchange.lose = () => true;
    exchange.pass(2_999);
    expect(exchange.spoken()).toEqual([]);
    exchange.pass(1);
    expect(exchange.spoken().slice(0, 1)).toEqual(['<-- CDN']);
    expect(exchange.lns.tells('tunnel.closed')).toEqual([]);
    exchange.pass(3_000);
    expect(exchange.lns.tells('tunnel.closed')).toEqual([{ type: 'tunnel.closed', reason: 'shutdown' }]);
    expect(exchange.lns.tells('link.stop')).toHaveLength(1);
  });

  test('the last SA is gone: everything goes at once', () => {
    const exchange = new Exchange();
    exchange.connect();
    exchange.lns.take({ kind: 'ended', reason: 'session-ended' });
    expect(exchange.lns.states()).toEqual({});
    expect(exchange.lns.outbox).toEqual([]);
    expect(exchange.lns.tells('link.stop')).toHaveLength(1);
    expect(exchange.lns.tells('tunnel.closed')).toEqual([]);
  });

  test('a tunnel without calls is stopped after a minute', () => {
    const exchange = new Exchange();
    exchange.connect();
    const call = callsOf(exchange.lns.state)[0]?.context.ours ?? 0;
    exchange.lns.take({ kind: 'disconnect', call, reason: 'peer-silent', advice: '' });
    exchange.pass(59_000);
    expect(exchange.lns.tells('tunnel.closed')).toEqual([]);
    exchange.pass(2_000);
    expect(exchange.lns.tells('tunnel.closed')).toEqual([{ type: 'tunnel.closed', reason: 'peer-closed' }]);
  });
});

describe('a vanished client', () => {
  test('RFC 2661 §5.8: what is never acknowledged clears the tunnel after the last retransmission', () => {
    const exchange = new Exchange();
    let icrps = 0;
    exchange.lose = ({ from, what }) => {
      if (what === 'ICRP') icrps += 1;
      return from === 'LNS' && icrps > 0;
    };
    exchange.connect();
    exchange.pass(60_000);
    expect(icrps).toBe(6);
    expect(exchange.lns.tells('tunnel.closed').at(-1)).toEqual({
      type: 'tunnel.closed',
      reason: 'peer-silent',
    });
    expect(exchange.lns.states()).toEqual({});
  });

  const answer = (exchange: Exchange, idleMs?: number) => {
    const [tunnel] = tunnelsOf(exchange.lns.state);
    if (tunnel === undefined) throw new Error('no tunnel');
    exchange.lns.take({
      kind: 'activity',
      tunnel: tunnel.id,
      ...(idleMs === undefined ? {} : { idleMs }),
    });
    exchange.settle();
  };

  test('Hello is said only when the edge has seen nothing for as long', () => {
    const exchange = new Exchange();
    exchange.connect();
    exchange.lac.timers = NO_TIMERS;
    exchange.pass(60_000);
    expect(exchange.lns.tells('activity.ask')).toHaveLength(1);
    answer(exchange, 20_000);
    exchange.pass(39_000);
    expect(exchange.lns.tells('activity.ask')).toHaveLength(1);
    exchange.pass(1_500);
    expect(exchange.lns.tells('activity.ask')).toHaveLength(2);
    expect(exchange.spoken()).toEqual([]);
    answer(exchange, 60_000);
    exchange.lac.fire();
    exchange.pass(100);
    expect(exchange.spoken()[0]).toBe('<-- HELLO');
    expect(exchange.lns.states()).not.toEqual({});
  });

  test('a Hello that nobody acknowledges ends the tunnel when the edge sees nothing either', () => {
    const exchange = new Exchange();
    exchange.connect();
    exchange.lose = () => true;
    exchange.lac.timers = NO_TIMERS;
    exchange.pass(60_000);
    answer(exchange, 60_000);
    exchange.pass(32_000);
    expect(exchange.spoken().filter((line) => line === '<-- HELLO')).toHaveLength(6);
    answer(exchange, 92_000);
    expect(exchange.lns.states()).toEqual({});
    expect(exchange.lns.tells('link.stop')).toHaveLength(1);
    expect(exchange.lns.tells('tunnel.closed')).toEqual([{ type: 'tunnel.closed', reason: 'peer-silent' }]);
  });

  test('but not while ESP is alive; and the next message brings the Hello along', () => {
    const exchange = new Exchange();
    exchange.connect();
    exchange.lose = () => true;
    exchange.lac.timers = NO_TIMERS;
    exchange.pass(60_000);
    answer(exchange, 60_000);
    exchange.pass(32_000);
    answer(exchange, 1_000);
    expect(Object.values(exchange.lns.states())).toEqual(['established', 'established']);
    exchange.pass(59_000);
    exchange.spoken();
    exchange.lose = () => false;
    const call = callsOf(exchange.lns.state)[0]?.context.ours ?? 0;
    exchange.lns.take({ kind: 'disconnect', call, reason: 'operator', advice: '' });
    exchange.pass(500);
    expect(exchange.spoken().filter((line) => line.startsWith('<--'))).toEqual(['<-- HELLO', '<-- CDN']);
  });

  test('an edge that cannot be asked proves nothing', () => {
    const exchange = new Exchange();
    exchange.connect();
    exchange.lose = () => true;
    exchange.lac.timers = NO_TIMERS;
    exchange.pass(60_000);
    answer(exchange, 60_000);
    exchange.pass(32_000);
    const [tunnel] = tunnelsOf(exchange.lns.state);
    exchange.lns.take({ kind: 'activity', tunnel: tunnel?.id ?? '' });
    expect(Object.values(exchange.lns.states())).toEqual(['established', 'established']);
    // One that knows no SA has perhaps just begun; the next answer decides.
    answer(exchange);
    expect(Object.values(exchange.lns.states())).toEqual(['established', 'established']);
    exchange.pass(60_000);
    answer(exchange, 200_000);
    expect(exchange.lns.states()).toEqual({});
  });
});

describe('restore', () => {
  const restart = (peer: Peer, from: StoredSession, timers: TimerTable) => {
    peer.state = restoredSession(l2tpActors, structuredClone(from));
    peer.timers = timers;
    peer.take({ kind: 'restored' });
  };

  test('a checkpoint that lacks the last movements of Ns and Nr adopts the peer’s, once', () => {
    const exchange = new Exchange();
    exchange.connect();
    const kept = structuredClone(storedSession(exchange.lns.state));
    const { timers } = exchange.lns;
    // Two Hellos of each side that the checkpoint does not know.
    for (let round = 0; round < 2; round += 1) {
      for (const peer of [exchange.lns, exchange.lac]) {
        const [tunnel] = tunnelsOf(peer.state);
        peer.take({ kind: 'activity', tunnel: tunnel?.id ?? '', idleMs: 60_000 });
      }
      exchange.pass(500);
    }
    restart(exchange.lns, kept, timers);
    const [tunnel] = tunnelsOf(exchange.lac.state);
    exchange.lac.take({ kind: 'activity', tunnel: tunnel?.id ?? '', idleMs: 60_000 });
    exchange.pass(500);
    const [before] = tunnelsOf(exchange.lns.state);
    const [peer] = tunnelsOf(exchange.lac.state);
    expect(before?.context.delivery.nr).toBe(peer?.context.delivery.ns);
    expect(before?.context.delivery.ns).toBe(peer?.context.delivery.nr);
    exchange.lns.take({ kind: 'close', reason: 'operator' });
    exchange.pass(4_000);
    expect(exchange.lns.tells('tunnel.closed')).toEqual([{ type: 'tunnel.closed', reason: 'operator' }]);
    expect(exchange.lac.tells('tunnel.closed')).toEqual([{ type: 'tunnel.closed', reason: 'peer-closed' }]);
  });
});
