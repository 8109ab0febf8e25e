import type { Clock } from './ports.ts';

/** Node's timers take at most this much and fire at once beyond it. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;

/**
 * The real clock. It is anchored to the wall clock once, when the process starts, and runs on the
 * monotonic one from there: a stepped wall clock neither fires every timer at once nor stops them.
 */
export const systemClock: Clock = {
  now: () => Math.floor(performance.timeOrigin + performance.now()),
  elapsed: () => performance.now(),
  after(afterMs, callback) {
    let left = Math.max(0, afterMs);
    let handle: NodeJS.Timeout;
    const wait = () => {
      const piece = Math.min(left, TIMEOUT_MAX_MS);
      left -= piece;
      handle = setTimeout(left > 0 ? wait : callback, piece);
    };
    wait();
    return () => clearTimeout(handle);
  },
};
