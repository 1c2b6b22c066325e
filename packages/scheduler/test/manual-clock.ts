// Time that only moves when it is told to.

export class ManualClock {
  #nowMs = 0;
  #timers: { atMs: number; callback: () => void }[] = [];
  /** Timers may fire up to so much early, as Node's do. */
  earlyMs = 0;
  fired = 0;

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(delayMs - this.earlyMs, 0.1), callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  get timers(): number {
    return this.#timers.length;
  }

  /** Fires what falls due on the way, in order; `settle` runs after each. */
  async advance(byMs: number, settle: () => Promise<void>): Promise<void> {
    const untilMs = this.#nowMs + byMs;
    await settle();
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.fired++;
      next.callback();
      await settle();
    }
    this.#nowMs = untilMs;
    await settle();
  }

  #next(untilMs: number): { atMs: number; callback: () => void } | undefined {
    const [first] = this.#timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs);
    this.#timers = this.#timers.filter((timer) => timer !== first);
    return first;
  }
}
