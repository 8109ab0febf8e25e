import { describe, expect, test } from 'vitest';
import { SEND_QUEUE_MAX } from '../limits.ts';
import {
  acknowledge,
  type Delivery,
  newDelivery,
  parked,
  received,
  resumed,
  resuming,
  send,
  timedOut,
  withPeerWindow,
} from './delivery.ts';

const POLICY = { retransmitMs: 1_000, retransmitCapMs: 8_000, retransmitMax: 5 };
type State = Delivery<string, string>;

const fresh = (receiveWindow = 4): State => newDelivery(receiveWindow);
const shown = (transmit: readonly { ns: number; nr: number; message?: string }[]) =>
  transmit.map(({ ns, nr, message = 'ZLB' }) => `${message} Ns=${ns} Nr=${nr}`);

/** The state after these messages of ours were queued. */
const sending = (state: State, ...messages: string[]): State =>
  messages.reduce((at, message) => send(at, POLICY, message).delivery, state);

describe('RFC 2661 §5.8, sending', () => {
  test('Appendix B.1: lock-step establishment, at the side that answers', () => {
    const heard = received(fresh(), POLICY, { ns: 0, nr: 0, message: 'SCCRQ' });
    expect(heard.delivered).toEqual(['SCCRQ']);
    const said = send(heard.delivery, POLICY, 'SCCRP');
    expect(shown(said.transmit)).toEqual(['SCCRP Ns=0 Nr=1']);
    expect(said.delivery.ackDue).toBe(false);
    const connected = received(said.delivery, POLICY, { ns: 1, nr: 1, message: 'SCCCN' });
    expect(connected.timer).toBe('disarm');
    expect(shown(acknowledge(connected.delivery).transmit)).toEqual(['ZLB Ns=1 Nr=2']);
  });

  test('Ns and Nr wrap at 65536', () => {
    const state = { ...fresh(), ns: 65_535, nr: 65_535 };
    const heard = received(state, POLICY, { ns: 65_535, nr: 65_535, message: 'a' });
    expect(heard.delivery.nr).toBe(0);
    expect(shown(send(heard.delivery, POLICY, 'b').transmit)).toEqual(['b Ns=65535 Nr=0']);
    expect(send(heard.delivery, POLICY, 'b').delivery.ns).toBe(0);
  });

  test('Appendix A: slow start doubles the window, congestion avoidance adds one a round', () => {
    let state = sending(withPeerWindow(fresh(), 8), ...'abcdefghijkl');
    const windows = [state.cwnd];
    for (let nr = 1; nr <= 8; nr += 1) {
      state = received(state, POLICY, { ns: 0, nr }).delivery;
      windows.push(state.cwnd);
    }
    expect(windows).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 8]);
    const halved = timedOut(state, POLICY);
    expect([halved.delivery.cwnd, halved.delivery.ssthresh]).toEqual([1, 4]);
    expect(halved.transmit).toHaveLength(1);
    state = sending(halved.delivery, ...'mnopqrstuvwxyz');
    const again: number[] = [];
    for (let nr = 9; nr <= 18; nr += 1) {
      state = received(state, POLICY, { ns: 0, nr }).delivery;
      again.push(state.cwnd);
    }
    expect(again).toEqual([2, 3, 4, 4, 4, 4, 5, 5, 5, 5]);
  });

  test('never more under way than the peer’s window, and a window of 4 unless it says so', () => {
    let state = sending(fresh(), ...'abcdefgh');
    for (let nr = 1; nr <= 4; nr += 1) state = received(state, POLICY, { ns: 0, nr }).delivery;
    expect(state.inFlight).toBe(4);
    const narrow = sending(withPeerWindow(fresh(), 1), 'a', 'b');
    expect(received(narrow, POLICY, { ns: 0, nr: 1 }).delivery.inFlight).toBe(1);
  });

  test('retransmission: 1, 2, 4, 8, 8 seconds, the Nr fresh each time, five times, then the tunnel is lost', () => {
    let step = send(fresh(), POLICY, 'a');
    expect(step.timer).toEqual({ afterMs: 1_000 });
    const intervals: unknown[] = [];
    for (let round = 0; round < 5; round += 1) {
      const early = received(step.delivery, POLICY, { ns: round, nr: 0, message: 'x' });
      step = timedOut(early.delivery, POLICY);
      expect(shown(step.transmit)).toEqual([`a Ns=0 Nr=${round + 1}`]);
      intervals.push(step.timer);
    }
    expect(intervals).toEqual([2_000, 4_000, 8_000, 8_000, 8_000].map((afterMs) => ({ afterMs })));
    const last = timedOut(step.delivery, POLICY);
    expect(last.gaveUp).toBe(true);
    expect(last.transmit).toEqual([]);
  });

  test('an acknowledgement starts the interval afresh for the new front', () => {
    const state = timedOut(sending(fresh(), 'a', 'b'), POLICY).delivery;
    const step = received(state, POLICY, { ns: 0, nr: 1 });
    expect(step.timer).toEqual({ afterMs: 1_000 });
    expect(step.delivery.attempts).toBe(0);
    expect(shown(step.transmit)).toEqual(['b Ns=1 Nr=0']);
  });

  test('after a time-out what was under way behind the front is sent again by slow start', () => {
    let state = sending(fresh(), 'a', 'b', 'c', 'd');
    state = received(state, POLICY, { ns: 0, nr: 1 }).delivery;
    expect(state.inFlight).toBe(2);
    const step = timedOut(state, POLICY);
    expect(shown(step.transmit)).toEqual(['b Ns=1 Nr=0']);
    expect(shown(received(step.delivery, POLICY, { ns: 0, nr: 2 }).transmit)).toEqual([
      'c Ns=2 Nr=0',
      'd Ns=3 Nr=0',
    ]);
    // The first sending of c was not lost after all: an acknowledgement beyond the front counts.
    const all = received(step.delivery, POLICY, { ns: 0, nr: 3 });
    expect(all.delivery.queue.map(({ message }) => message)).toEqual(['d']);
  });

  test('an Nr that lies behind is old; one ahead of all that was sent is impossible', () => {
    const state = received(sending(fresh(), 'a'), POLICY, { ns: 0, nr: 1 }).delivery;
    expect(received(state, POLICY, { ns: 0, nr: 0, message: 'x' }).delivered).toEqual(['x']);
    for (const nr of [2, 100, 0x7fff]) {
      const step = received(state, POLICY, { ns: 0, nr, message: 'x' });
      expect([step.drop, step.delivery, step.delivered]).toEqual(['bad-nr', state, []]);
    }
  });

  test('the queue is bounded; when it is full the peer has not answered for long', () => {
    const full = sending(fresh(), ...Array.from({ length: SEND_QUEUE_MAX }, String));
    const step = send(full, POLICY, 'one more');
    expect([step.gaveUp, step.delivery]).toEqual([true, full]);
  });

  test('parked messages rest until there is something new to say', () => {
    const rest = parked(timedOut(sending(fresh(), 'HELLO'), POLICY).delivery);
    expect(timedOut(rest, POLICY).transmit).toEqual([]);
    expect(shown(send(rest, POLICY, 'CDN').transmit)).toEqual(['HELLO Ns=0 Nr=0']);
    expect(resumed(rest, POLICY).timer).toEqual({ afterMs: 1_000 });
  });
});

describe('RFC 2661 §5.8, receiving', () => {
  test('a duplicate is acknowledged at once, exactly once, and not delivered again', () => {
    const state = received(fresh(), POLICY, { ns: 0, nr: 0, message: 'a' }).delivery;
    const again = received(state, POLICY, { ns: 0, nr: 0, message: 'a' });
    expect([again.delivered, again.drop, shown(again.transmit)]).toEqual([
      [],
      'duplicate',
      ['ZLB Ns=0 Nr=1'],
    ]);
    expect(again.delivery.ackDue).toBe(false);
  });

  test('or by the message that its Nr lets out', () => {
    const state = sending(received(fresh(), POLICY, { ns: 0, nr: 0, message: 'a' }).delivery, 'x', 'y');
    const again = received(state, POLICY, { ns: 0, nr: 1, message: 'a' });
    expect(shown(again.transmit)).toEqual(['y Ns=1 Nr=1']);
  });

  test.each([
    [15, 15, 'duplicate'],
    [15, 0, 'duplicate'],
    [15, 32_784, 'duplicate'],
    [15, 65_535, 'duplicate'],
    [15, 32_783, 'out-of-window'],
    [15, 20, 'out-of-window'],
    [15, 16, undefined],
    [15, 19, undefined],
  ])('last received %i, then %i: %s', (last, ns, drop) => {
    expect(received({ ...fresh(), nr: last + 1 }, POLICY, { ns, nr: 0, message: 'x' }).drop).toBe(drop);
  });

  test('what comes early is kept, once, and delivered in order', () => {
    let state = fresh();
    for (const ns of [2, 1, 2]) {
      const step = received(state, POLICY, { ns, nr: 0, message: `m${ns}` });
      expect(step.delivered).toEqual([]);
      state = step.delivery;
    }
    expect(state.early).toHaveLength(2);
    const step = received(state, POLICY, { ns: 0, nr: 0, message: 'm0' });
    expect(step.delivered).toEqual(['m0', 'm1', 'm2']);
    expect([step.delivery.nr, step.delivery.early]).toEqual([3, []]);
  });

  test('no more of it than the receive window', () => {
    let state = fresh(4);
    for (let ns = 1; ns < 100; ns += 1) state = received(state, POLICY, { ns, nr: 0, message: 'x' }).delivery;
    expect(state.early).toHaveLength(3);
  });

  test('a ZLB acknowledges without moving Nr, whatever its Ns, and is never acknowledged', () => {
    const state = sending(fresh(), 'a');
    for (const ns of [0, 1, 5, 65_535]) {
      const step = received(state, POLICY, { ns, nr: 1 });
      expect([step.delivery.nr, step.transmit, step.delivery.queue]).toEqual([0, [], []]);
    }
  });

  test('the Ns of a ZLB is that of the next new message, and is not used up', () => {
    const state = received(sending(fresh(), 'a', 'b'), POLICY, { ns: 0, nr: 0, message: 'x' }).delivery;
    expect(shown(acknowledge(state).transmit)).toEqual(['ZLB Ns=1 Nr=1']);
    expect(acknowledge(acknowledge(state).delivery).transmit).toEqual([]);
  });
});

describe('after a restore', () => {
  const old = resuming({ ...fresh(), ns: 5, nr: 7 });

  test('the first Ns of the window above ours is adopted, once', () => {
    const step = received(old, POLICY, { ns: 9, nr: 5, message: 'x' });
    expect([step.delivered, step.delivery.nr]).toEqual([['x'], 10]);
    expect(received(step.delivery, POLICY, { ns: 12, nr: 5, message: 'z' }).delivered).toEqual([]);
  });

  test('not one beyond the window, and a duplicate stays one', () => {
    expect(received(old, POLICY, { ns: 11, nr: 5, message: 'x' }).drop).toBe('out-of-window');
    expect(received(old, POLICY, { ns: 6, nr: 5, message: 'x' }).drop).toBe('duplicate');
  });

  test('our Ns follows the peer’s Nr, and what waits is renumbered', () => {
    const step = received(old, POLICY, { ns: 7, nr: 8, message: 'x' });
    expect(step.delivery.ns).toBe(8);
    const waiting = { ...old, queue: [{ ns: 5, message: 'lost' }], inFlight: 0, sent: 0, ns: 6 };
    const renumbered = received(waiting, POLICY, { ns: 7, nr: 8, message: 'x' });
    expect(shown(renumbered.transmit)).toEqual(['lost Ns=8 Nr=8']);
    expect(received(step.delivery, POLICY, { ns: 8, nr: 12, message: 'y' }).drop).toBe('bad-nr');
  });
});
