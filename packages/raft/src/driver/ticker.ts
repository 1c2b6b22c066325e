// Turns time into ticks. The process can stand still (a suspended machine, a long collection of garbage), and then
// timers run before the sockets are read: a follower would campaign against a leader whose heartbeats wait unread.
// So a late tick counts once, and only after the sockets have been polled. There are no catch-up ticks.
import type { Clock } from './clock.ts';

export interface TickerOptions {
  readonly clock: Clock;
  readonly tickMs: number;
  /** Standing still for so long is news for the core. */
  readonly pauseMs: number;
  /** Called before the tick that follows a pause. */
  readonly onPause: (pausedMs: number) => void;
  readonly onTick: () => void;
}

export class Ticker {
  readonly #options: TickerOptions;
  #dueAtMs = 0;
  #cancel: (() => void) | undefined;

  constructor(options: TickerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#dueAtMs = this.#options.clock.monotonicMs();
    this.#schedule();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #schedule(): void {
    const { clock, tickMs } = this.#options;
    const nowMs = clock.monotonicMs();
    // A little late: the next tick makes up for it. A whole tick late: that one is gone.
    this.#dueAtMs = Math.max(this.#dueAtMs + tickMs, nowMs);
    this.#cancel = clock.after(this.#dueAtMs - nowMs, () => this.#fire());
  }

  #fire(): void {
    const { clock, tickMs } = this.#options;
    const lateMs = clock.monotonicMs() - this.#dueAtMs;
    if (lateMs <= tickMs) return this.#tick(0);
    this.#dueAtMs = clock.monotonicMs();
    this.#cancel = clock.after(0, () => this.#tick(lateMs));
  }

  #tick(lateMs: number): void {
    const { pauseMs, onPause, onTick } = this.#options;
    // Before anybody is told, who may stop this ticker.
    this.#schedule();
    if (lateMs >= pauseMs) onPause(lateMs);
    if (this.#cancel !== undefined) onTick();
  }
}
