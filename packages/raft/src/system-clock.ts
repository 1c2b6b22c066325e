// Wall and monotonic time of this machine; the only place of a node that reads them. Everything else is given a clock.
import type { Clock } from './driver/clock.ts';

/** A longer setTimeout fires at once: Node keeps the delay in 31 bits. */
const longestTimeoutMs = 2 ** 31 - 1;

/** Of this process: `performance.now()`, `Date.now()`, and timers. Needs nothing and is shared by all. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, callback) {
    if (delayMs === 0) {
      // The next turn of the event loop, after the sockets were read: a timer would cost every write a millisecond.
      const next = setImmediate(callback);
      return () => clearImmediate(next);
    }
    const dueMs = performance.now() + delayMs;
    let timer: NodeJS.Timeout;
    // A timer may fire up to 1 ms before its time on the monotonic clock, and a delivery may not: look again, and wait on.
    const maybeCall = () => {
      const leftMs = dueMs - performance.now();
      if (leftMs <= 0) callback();
      else arm(leftMs);
    };
    const arm = (leftMs: number) => {
      timer = setTimeout(maybeCall, Math.min(Math.ceil(leftMs), longestTimeoutMs));
    };
    arm(delayMs);
    return () => clearTimeout(timer);
  },
};
