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

  /** The write in flight takes longer than a disk should. */
  isStalled(nowMs: number): boolean {
    return this.#startedAtMs !== undefined && nowMs - this.#startedAtMs > this.#stallMs;
  }
}
