import { PEER_WINDOW_DEFAULT, SEND_QUEUE_MAX } from '../limits.ts';

/** RFC 2661 §5.8: sequence numbers are free running modulo 65536. */
const MODULUS = 0x10000;
const HALF = 0x8000;

export const after = (ns: number): number => (ns + 1) % MODULUS;
/** How far `ns` lies ahead of `from`, 0..65535; from HALF on it counts as behind. */
const ahead = (ns: number, from: number): number => (ns - from + MODULUS) % MODULUS;

export interface DeliveryPolicy {
  readonly retransmitMs: number;
  readonly retransmitCapMs: number;
  readonly retransmitMax: number;
}

/**
 * The state of the reliable delivery of one control connection, both directions: `Out` is what we say,
 * `In` what we hear. Plain data, a part of the tunnel's context.
 */
export interface Delivery<Out, In> {
  /** Ns of the next message to enter the queue. */
  readonly ns: number;
  /** Ns of the message we expect next. */
  readonly nr: number;
  readonly receiveWindow: number;
  readonly peerWindow: number;
  /** Appendix A. `grown` counts new acknowledgements since the congestion window last grew by one. */
  readonly cwnd: number;
  readonly ssthresh: number;
  readonly grown: number;
  /** Not yet acknowledged, oldest first. The first `inFlight` are under way, the first `sent` once were. */
  readonly queue: readonly { readonly ns: number; readonly message: Out }[];
  readonly inFlight: number;
  readonly sent: number;
  /** Retransmissions of the front. */
  readonly attempts: number;
  /** Came before their turn, at most a receive window of them. */
  readonly early: readonly { readonly ns: number; readonly message: In }[];
  readonly ackDue: boolean;
  /** After a restore the last movements may be missing: the peer's view is adopted once. */
  readonly adoptNs: boolean;
  readonly adoptNr: boolean;
}

/** One datagram; without a message it is a ZLB. */
export interface Transmission<Out> {
  readonly ns: number;
  readonly nr: number;
  readonly message?: Out;
}

export interface DeliveryStep<Out, In> {
  readonly delivery: Delivery<Out, In>;
  readonly transmit: readonly Transmission<Out>[];
  /** In order, each once. */
  readonly delivered: readonly In[];
  /** What becomes of the retransmission timer; absent: it stays. */
  readonly timer?: { readonly afterMs: number } | 'disarm';
  /** The peer does not acknowledge: the tunnel must be cleared. */
  readonly gaveUp?: true;
  readonly drop?: 'duplicate' | 'out-of-window' | 'bad-nr';
}

export function newDelivery<Out, In>(receiveWindow: number): Delivery<Out, In> {
  return {
    ns: 0,
    nr: 0,
    receiveWindow,
    peerWindow: PEER_WINDOW_DEFAULT,
    cwnd: 1,
    ssthresh: PEER_WINDOW_DEFAULT,
    grown: 0,
    queue: [],
    inFlight: 0,
    sent: 0,
    attempts: 0,
    early: [],
    ackDue: false,
    adoptNs: false,
    adoptNr: false,
  };
}

/** The peer's Receive Window Size AVP, once; slow start begins below it (Appendix A). */
export function withPeerWindow<Out, In>(delivery: Delivery<Out, In>, peerWindow: number): Delivery<Out, In> {
  return { ...delivery, peerWindow, ssthresh: peerWindow };
}

/** After a restore from the last checkpoint. */
export function resuming<Out, In>(delivery: Delivery<Out, In>): Delivery<Out, In> {
  return { ...delivery, adoptNs: true, adoptNr: true };
}

/** A datagram of the peer: acknowledges, and carries a message unless it is a ZLB. */
export function received<Out, In>(
  before: Delivery<Out, In>,
  policy: DeliveryPolicy,
  datagram: { readonly ns: number; readonly nr: number; readonly message?: In },
): DeliveryStep<Out, In> {
  const acked = acknowledgedBy(before, datagram.nr);
  // §7.1: an impossible value in the header makes the message one to discard.
  if (acked === undefined) return { delivery: before, transmit: [], delivered: [], drop: 'bad-nr' };
  if (datagram.message === undefined) return pumped(before, acked, policy);
  const heard = accepted(acked, datagram.ns, datagram.message);
  const step = pumped(before, heard.delivery, policy);
  if (heard.drop !== 'duplicate') return { ...step, ...heard, delivery: step.delivery };
  // §5.8: a duplicate MUST be acknowledged, by what goes out anyway or by a ZLB of its own.
  const again = step.transmit.length > 0 ? step : appended(step, acknowledge(step.delivery, true));
  return { ...again, drop: 'duplicate' };
}

/** A message of ours. When the queue is full the peer has not acknowledged for long: give up. */
export function send<Out, In>(
  before: Delivery<Out, In>,
  policy: DeliveryPolicy,
  message: Out,
): DeliveryStep<Out, In> {
  if (before.queue.length >= SEND_QUEUE_MAX) {
    return { delivery: before, transmit: [], delivered: [], gaveUp: true };
  }
  const queue = [...before.queue, { ns: before.ns, message }];
  return pumped(before, { ...before, queue, ns: after(before.ns) }, policy);
}

/** The retransmission timer fired: the front again with a fresh Nr, the interval doubled (§5.8). */
export function timedOut<Out, In>(before: Delivery<Out, In>, policy: DeliveryPolicy): DeliveryStep<Out, In> {
  if (before.inFlight === 0) return { delivery: before, transmit: [], delivered: [] };
  if (before.attempts >= policy.retransmitMax) {
    return { delivery: before, transmit: [], delivered: [], gaveUp: true };
  }
  const attempts = before.attempts + 1;
  // Appendix A: half of the window is remembered, and slow start begins anew with the front alone.
  const ssthresh = Math.max(1, before.cwnd >> 1);
  const quiet = { ...before, attempts, ssthresh, cwnd: 1, grown: 0, inFlight: 0 };
  const step = pumped(before, quiet, policy);
  const afterMs = Math.min(policy.retransmitMs * 2 ** attempts, policy.retransmitCapMs);
  return { ...step, timer: { afterMs } };
}

/** A ZLB, if an acknowledgement is due or `always`. */
export function acknowledge<Out, In>(before: Delivery<Out, In>, always = false): DeliveryStep<Out, In> {
  if (!before.ackDue && !always) return { delivery: before, transmit: [], delivered: [] };
  // §5.8: a ZLB shows the Ns that the next new message will have, and does not use it up.
  const ns = before.queue[before.sent]?.ns ?? before.ns;
  return { delivery: { ...before, ackDue: false }, transmit: [{ ns, nr: before.nr }], delivered: [] };
}

/** Stops repeating what is in flight until there is something new to say. */
export function parked<Out, In>(delivery: Delivery<Out, In>): Delivery<Out, In> {
  return { ...delivery, inFlight: 0, attempts: 0, cwnd: 1 };
}

/** Sends again what was parked. */
export function resumed<Out, In>(before: Delivery<Out, In>, policy: DeliveryPolicy): DeliveryStep<Out, In> {
  return pumped(before, before, policy);
}

/** Drops what `nr` acknowledges; undefined when it acknowledges what was never sent. */
function acknowledgedBy<Out, In>(delivery: Delivery<Out, In>, nr: number): Delivery<Out, In> | undefined {
  const { queue, sent } = delivery;
  const front = queue[0]?.ns ?? delivery.ns;
  const count = ahead(nr, front);
  if (count >= HALF) return delivery; // an old Nr, overtaken by newer ones
  if (count > sent) {
    if (!delivery.adoptNr) return undefined;
    const rest = queue.slice(sent).map(({ message }, index) => ({ ns: (nr + index) % MODULUS, message }));
    const ns = (nr + rest.length) % MODULUS;
    return { ...delivery, queue: rest, ns, inFlight: 0, sent: 0, attempts: 0, adoptNr: false };
  }
  if (count === 0) return { ...delivery, adoptNr: false };
  const window = grownWindow(delivery);
  return {
    ...delivery,
    ...window,
    queue: queue.slice(count),
    inFlight: Math.max(0, delivery.inFlight - count),
    sent: sent - count,
    attempts: 0,
    adoptNr: false,
  };
}

/** Appendix A: by one for each acknowledgement in slow start, afterwards by one for a whole window. */
function grownWindow<Out, In>(delivery: Delivery<Out, In>): Pick<Delivery<Out, In>, 'cwnd' | 'grown'> {
  const { cwnd, ssthresh, grown, peerWindow } = delivery;
  if (cwnd >= peerWindow) return { cwnd: peerWindow, grown: 0 };
  if (cwnd < ssthresh || grown + 1 >= cwnd) return { cwnd: cwnd + 1, grown: 0 };
  return { cwnd, grown: grown + 1 };
}

/** In order: delivered, with what waited behind it. Early: kept. Behind: a duplicate. */
function accepted<Out, In>(
  delivery: Delivery<Out, In>,
  ns: number,
  message: In,
): Pick<DeliveryStep<Out, In>, 'delivery' | 'delivered' | 'drop'> {
  const distance = ahead(ns, delivery.nr);
  if (distance >= HALF) return { delivery, delivered: [], drop: 'duplicate' };
  if (distance >= delivery.receiveWindow) return { delivery, delivered: [], drop: 'out-of-window' };
  if (distance > 0 && !delivery.adoptNs) {
    const known = delivery.early.some((one) => one.ns === ns);
    const early = known ? delivery.early : [...delivery.early, { ns, message }];
    return { delivery: { ...delivery, early, ackDue: true }, delivered: [] };
  }
  const delivered = [message];
  let nr = after(ns);
  let early = delivery.early;
  for (let next = early.find((one) => one.ns === nr); next !== undefined; ) {
    delivered.push(next.message);
    nr = after(nr);
    next = early.find((one) => one.ns === nr);
  }
  early = early.filter((one) => ahead(one.ns, nr) < HALF);
  return { delivery: { ...delivery, nr, early, ackDue: true, adoptNs: false }, delivered };
}

/** Sends what the window allows. Whatever goes out acknowledges, so nothing is due afterwards. */
function pumped<Out, In>(
  before: Delivery<Out, In>,
  delivery: Delivery<Out, In>,
  policy: DeliveryPolicy,
): DeliveryStep<Out, In> {
  const window = Math.min(delivery.cwnd, delivery.peerWindow);
  const inFlight = Math.max(delivery.inFlight, Math.min(window, delivery.queue.length));
  const transmit = delivery.queue
    .slice(delivery.inFlight, inFlight)
    .map(({ ns, message }) => ({ ns, nr: delivery.nr, message }));
  const sent = Math.max(delivery.sent, inFlight);
  const ackDue = transmit.length > 0 ? false : delivery.ackDue;
  const step = { delivery: { ...delivery, inFlight, sent, ackDue }, transmit, delivered: [] };
  const fronts = before.inFlight > 0 ? before.queue[0]?.ns : undefined;
  const front = inFlight > 0 ? delivery.queue[0]?.ns : undefined;
  if (front === fronts) return step;
  return { ...step, timer: front === undefined ? 'disarm' : { afterMs: policy.retransmitMs } };
}

function appended<Out, In>(
  first: DeliveryStep<Out, In>,
  second: DeliveryStep<Out, In>,
): DeliveryStep<Out, In> {
  return { ...first, delivery: second.delivery, transmit: [...first.transmit, ...second.transmit] };
}
