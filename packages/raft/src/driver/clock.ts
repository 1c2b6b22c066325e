/** Injected time. `monotonicMs` never goes back; `wallMs` is ms since the epoch and may jump. */
export interface Clock {
  monotonicMs(): number;
  wallMs(): number;
  /**
   * Calls back once, after at least `delayMs`; returns how to cancel it.
   *
   * A delay of 0 means: after what waits in the event loop already, sockets included. With real time that is
   * `setImmediate`, not `setTimeout(0)`, which costs a millisecond and runs before the sockets are read.
   */
  after(delayMs: number, callback: () => void): () => void;
}

/** Resolves when `begin`'s callback is called, or after so long without it. */
export function within(clock: Clock, delayMs: number, begin: (over: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(delayMs, resolve);
    begin(() => {
      cancel();
      resolve();
    });
  });
}
