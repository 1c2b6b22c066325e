// What was asked for and what came: lost, early, repeated, lateness, silence. One host, so one clock.
import { figures } from './percentiles.ts';

export class Deliveries {
  /** Number of the message -> due time, ms since the epoch; only what was acknowledged. */
  readonly #due = new Map<number, number>();
  readonly #arrived = new Map<number, number[]>();
  readonly #order: { atMs: number; dueMs: number }[] = [];

  acknowledged(number: number, dueMs: number): void {
    this.#due.set(number, dueMs);
  }
  delivered(number: number, atMs: number): void {
    const times = this.#arrived.get(number);
    if (times === undefined) this.#arrived.set(number, [atMs]);
    else times.push(atMs);
    this.#order.push({ atMs, dueMs: this.#due.get(number) ?? Number.NaN });
  }
  get asked(): number {
    return this.#due.size;
  }
  get arrived(): number {
    return this.#arrived.size;
  }

  counts(): { lost: number; early: number; repeated: number; unexpected: number } {
    let lost = 0;
    let early = 0;
    let repeated = 0;
    let unexpected = 0;
    for (const number of this.#due.keys()) if (!this.#arrived.has(number)) lost += 1;
    for (const [number, times] of this.#arrived) {
      const dueMs = this.#due.get(number);
      repeated += times.length - 1;
      if (dueMs === undefined) unexpected += 1;
      else if ((times[0] ?? 0) < dueMs) early += 1;
    }
    return { lost, early, repeated, unexpected };
  }

  /** First delivery minus due time, ms; of what fell due in [fromMs, toMs). */
  lateness(fromMs = 0, toMs = Number.POSITIVE_INFINITY): number[] {
    const late: number[] = [];
    for (const [number, dueMs] of this.#due) {
      const first = this.#arrived.get(number)?.[0];
      if (first !== undefined && dueMs >= fromMs && dueMs < toMs) late.push(first - dueMs);
    }
    return late;
  }
  latenessFigures(): ReturnType<typeof figures> {
    return figures(this.lateness());
  }

  /**
   * The longest time without a delivery, of those that touch [fromMs, toMs]: what a user notices of a kill.
   * Counted between successive deliveries; something must have been due all the while.
   */
  longestSilence(fromMs: number, toMs: number): number {
    const times = this.#order.map(({ atMs }) => atMs).sort((a, b) => a - b);
    let longest = 0;
    for (let at = 1; at < times.length; at += 1) {
      const before = times[at - 1] ?? 0;
      const after = times[at] ?? 0;
      if (after >= fromMs && before <= toMs) longest = Math.max(longest, after - before);
    }
    return longest;
  }
}
