// A disk that stands still is an input to the core: a leader whose disk hangs can not commit alone for ever.

export class Watchdog {
  readonly #stallMs: number;
  #startedAtMs: number | undefined;

  constructor(stallMs: number) {
    this.#stallMs = stallMs;
  }

  writeStarted(nowMs: number): void {
    this.#startedAtMs = nowMs;
  }

  writeEnded(): void {
    this.#startedAtMs = undefined;
  }

  /** The whole process stood still: that is not the disk's doing. */
  paused(pausedMs: number): void {
    if (this.#startedAtMs !== undefined) this.#startedAtMs += pausedMs;
  }

  /** For how long the write in flight has been stalled; undefined when nothing is wrong. */
  stalledMs(nowMs: number): number | undefined {
    if (this.#startedAtMs === undefined) return undefined;
    const takenMs = nowMs - this.#startedAtMs;
    return takenMs > this.#stallMs ? takenMs : undefined;
  }
}
