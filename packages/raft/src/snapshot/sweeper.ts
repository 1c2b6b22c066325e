// Removes what a flip, or an import that was given up, has left behind: a step at a time, so that turns go on.
import type { LogStore } from '../log/log-store.ts';
import { snapshotBounds } from './bounds.ts';

export class Sweeper {
  readonly #log: Pick<LogStore, 'unswept' | 'sweep'>;
  readonly #onFailed: (error: unknown) => void;
  #step: Promise<void> | undefined;
  #sweptAtMs = Number.NEGATIVE_INFINITY;
  #isStopped = false;

  constructor(log: Pick<LogStore, 'unswept' | 'sweep'>, onFailed: (error: unknown) => void) {
    this.#log = log;
    this.#onFailed = onFailed;
  }

  tick(nowMs: number): void {
    const isDue = nowMs - this.#sweptAtMs >= snapshotBounds.sweepEveryMs;
    if (this.#isStopped || this.#step !== undefined || this.#log.unswept === 0 || !isDue) return;
    this.#sweptAtMs = nowMs;
    this.#step = this.#log
      .sweep()
      .catch(this.#onFailed)
      .finally(() => {
        this.#step = undefined;
      });
  }

  /** Resolves when nothing is read or written any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#step;
  }
}
