// The only place of the client that reads real time and real chance. Everything else is given a clock.
import { randomFillSync } from 'node:crypto';

/** Injected time. `monotonicMs` never goes back; `wallMs` is ms since the epoch and may jump. */
export interface ClientClock {
  monotonicMs(): number;
  wallMs(): number;
  /**
   * Calls back once, after at least `delayMs`; returns how to cancel it. A delay of 0 means: after what waits in the event
   * loop already (`setImmediate`, not `setTimeout(0)`, which costs a millisecond).
   */
  after(delayMs: number, callback: () => void): () => void;
}

/** A longer setTimeout fires at once. No wait of a client is meant to be as long as these 24 days. */
const longestTimeoutMs = 2 ** 31 - 1;

export const systemClock: ClientClock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, callback) {
    if (delayMs <= 0) {
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(callback, Math.min(delayMs, longestTimeoutMs));
    return () => clearTimeout(timer);
  },
};

const poolBytes = 4_096;

/** Random bytes from the system, fetched in larger pieces: every request draws some, and a system call each costs more than the rest of it. */
export function createRandomBytes(): (count: number) => Uint8Array {
  const pool = new Uint8Array(poolBytes);
  let used = poolBytes;
  return (count) => {
    if (count > poolBytes) return randomFillSync(new Uint8Array(count));
    if (used + count > poolBytes) {
      randomFillSync(pool);
      used = 0;
    }
    used += count;
    return pool.slice(used - count, used);
  };
}
