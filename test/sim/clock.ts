import { createHook } from 'node:async_hooks';
import type { Clock } from '@culvert/host';

interface Appointment {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

export interface VirtualClock extends Clock {
  /** Lets `ms` of virtual time pass; between two happenings all ready promises run. */
  run(ms: number): Promise<void>;
  /** Runs until `done()` is true; throws after `limitMs` of virtual time. */
  until(done: () => boolean, limitMs: number): Promise<void>;
  /** Runs what is ready without letting time pass. */
  settle(): Promise<void>;
  /** Time stands still while real work (a worker thread, a file) is under way. */
  hold<T>(work: Promise<T>): Promise<T>;
  /** Appointments not yet kept or cancelled: zero when nothing is left to happen. */
  readonly pending: number;
}

/** A day in 2026, so that wrong units show. */
const START = Date.UTC(2026, 0, 5, 8, 0, 0);

export function virtualClock(start = START): VirtualClock {
  let now = start;
  let order = 0;
  let held = 0;
  const queue: Appointment[] = [];

  const settle = async () => {
    await turn();
    // What waited for real work goes on in the turn after the one that ended it.
    while (held > 0 || cryptoUnderWay()) {
      await turn();
      await turn();
    }
  };
  const keepNext = async (limit: number): Promise<boolean> => {
    const next = takeDue(queue, limit);
    if (next === undefined) return false;
    now = Math.max(now, next.at);
    next.callback();
    await settle();
    return true;
  };
  watchCryptoJobs();
  return {
    now: () => Math.floor(now),
    elapsed: () => now - start,
    after(afterMs, callback) {
      const appointment = { at: now + Math.max(0, afterMs), order, callback, cancelled: false };
      order += 1;
      insert(queue, appointment);
      return () => {
        appointment.cancelled = true;
      };
    },
    async run(ms) {
      const end = now + ms;
      await settle();
      while (await keepNext(end));
      now = Math.max(now, end);
    },
    async until(done, limitMs) {
      const end = now + limitMs;
      await settle();
      while (!done())
        if (!(await keepNext(end))) throw new Error(`not so within ${limitMs} ms of virtual time`);
    },
    settle,
    hold(work) {
      held += 1;
      const release = () => {
        held -= 1;
      };
      work.then(release, release);
      return work;
    },
    get pending() {
      return queue.filter((appointment) => !appointment.cancelled).length;
    },
  };
}

/** One turn of the real event loop: every microtask that is ready has run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function insert(queue: Appointment[], appointment: Appointment): void {
  let low = 0;
  let high = queue.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = queue[middle] as Appointment;
    if (other.at < appointment.at || (other.at === appointment.at && other.order < appointment.order))
      low = middle + 1;
    else high = middle;
  }
  queue.splice(low, 0, appointment);
}

function takeDue(queue: Appointment[], limit: number): Appointment | undefined {
  while (queue[0]?.cancelled === true) queue.shift();
  return queue[0] !== undefined && queue[0].at <= limit ? queue.shift() : undefined;
}

/**
 * Slow crypto runs in Node's thread pool, in real time. Virtual time waits for it, or a run would depend
 * on how busy the machine is.
 */
const CRYPTO_JOB =
  /^(KEYPAIRGEN|KEYGEN|DERIVEBITS|PBKDF2|SCRYPT|ARGON2|RANDOMBYTES|RANDOMPRIME|HASH|CIPHER|SIGN|KEYEXPORT|DHKEYEXPORT)REQUEST$/;
const cryptoJobs = new Map<number, object>();
let watching = false;

/**
 * A job without `ondone` was done before its maker went on. Nothing is heard of it until it is collected as
 * garbage, and to wait for that is to wait long.
 */
function cryptoUnderWay(): boolean {
  for (const [id, job] of cryptoJobs) if (!('ondone' in job)) cryptoJobs.delete(id);
  return cryptoJobs.size > 0;
}

function watchCryptoJobs(): void {
  if (watching) return;
  watching = true;
  const hooks = {
    init(id: number, type: string, _trigger: number, job: object) {
      if (CRYPTO_JOB.test(type)) cryptoJobs.set(id, job);
    },
    after: (id: number) => void cryptoJobs.delete(id),
    destroy: (id: number) => void cryptoJobs.delete(id),
    // Of no interest here, and following every one of them takes most of a run's time.
    trackPromises: false,
  };
  createHook(hooks).enable();
}
