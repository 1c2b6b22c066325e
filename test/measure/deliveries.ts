// What was asked for and what came: lost, early, repeated, lateness, silence. One host, so one clock.
import { figures } from './percentiles.ts';

export class Deliveries {
  /** Number of the message -> due time, ms since the epoch; only what was acknowledged. */
  readonly #due = new Map<number, number>();
  readonly #arrived = new Map<number, number[]>();

  acknowledged(number: number, dueMs: number): void {
    this.#due.set(number, dueMs);
  }
  delivered(number: number, atMs: number): void {
    const times = this.#arrived.get(number);
    if (times === undefined) this.#arrived.set(number, [atMs]);
    else times.push(atMs);
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
   * The longest time, ms, in which something was due and nothing was delivered, of those that touch [fromMs, toMs]: what a
   * user notices of a fault. It begins with the delivery before, or later, when the next message fell due. Only what was
   * acknowledged is waited for, and only its first delivery ends a silence; what never came lets it last until `toMs`.
   */
  longestSilence(fromMs: number, toMs: number): number {
    const waited = [...this.#due].map(([number, dueMs]) => ({
      dueMs,
      atMs: this.#arrived.get(number)?.[0] ?? Number.POSITIVE_INFINITY,
    }));
    waited.sort((a, b) => a.atMs - b.atMs);
    let longest = 0;
    // From the last delivery to the first: what arrives later is what is waited for.
    let oldestDueMs = Number.POSITIVE_INFINITY;
    for (let at = waited.length - 1; at >= 0; at -= 1) {
      const { dueMs = 0, atMs = 0 } = waited[at] ?? {};
      oldestDueMs = Math.min(oldestDueMs, dueMs);
      const begins = Math.max(waited[at - 1]?.atMs ?? Number.NEGATIVE_INFINITY, oldestDueMs);
      const ends = atMs === Number.POSITIVE_INFINITY ? toMs : atMs;
      if (ends >= fromMs && begins <= toMs) longest = Math.max(longest, ends - begins);
    }
    return longest;
  }
}
