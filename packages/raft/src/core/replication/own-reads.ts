// The reads that this node's owner waits for. They go to the leader (which may be this node) one batch at a time, so that
// a thousand reads cost what one costs. Every context that comes in goes out once, answered or failed.
import type { ReadState } from '../ready.ts';

interface Waiting {
  readonly context: number;
  /** Tick at which it has failed. */
  readonly dueAt: number;
}

export class OwnReads {
  readonly #waiting: Waiting[] = [];
  #answers: ReadState[] = [];
  /** The batch under way: the first `size` of those that wait. */
  #batch: { readonly id: number; size: number; askAgainAt: number } | undefined;
  #lastBatch: number | undefined;
  #term = 0;
  #leader: string | undefined;

  get waiting(): number {
    return this.#waiting.length;
  }

  /** What was asked of another leader, or in another term, is lost: its answer would say nothing of this one. */
  follow(term: number, leader: string | undefined): void {
    if (term === this.#term && leader === this.#leader) return;
    this.#term = term;
    this.#leader = leader;
    this.#failFirst(this.#waiting.length);
    this.#batch = undefined;
  }

  add(context: number, dueAt: number): void {
    this.#waiting.push({ context, dueAt });
  }

  fail(context: number): void {
    this.#answers.push({ context, kind: 'failed' });
  }

  /** All wait equally long, so those whose time is up stand in front. */
  expire(now: number): void {
    let late = 0;
    while ((this.#waiting[late]?.dueAt ?? Number.POSITIVE_INFINITY) <= now) late += 1;
    if (late === 0) return;
    this.#failFirst(late);
    if (this.#batch === undefined) return;
    this.#batch.size -= late;
    if (this.#batch.size <= 0) this.#batch = undefined;
  }

  /**
   * The batch to ask for now, if any: a new one, or one whose question or answer may be lost.
   *
   * @param first draws the number of this life's first batch: an answer to an earlier life must not fit
   */
  ask(now: number, patienceTicks: number, first: () => number): number | undefined {
    if (this.#batch === undefined) {
      if (this.#waiting.length === 0) return undefined;
      this.#lastBatch = this.#lastBatch === undefined ? first() : this.#lastBatch + 1;
      this.#batch = { id: this.#lastBatch, size: this.#waiting.length, askAgainAt: now };
    }
    if (now < this.#batch.askAgainAt) return undefined;
    this.#batch.askAgainAt = now + patienceTicks;
    return this.#batch.id;
  }

  /** The leader has answered; `index` undefined: it refuses. */
  answer(batch: number, index: number | undefined): void {
    if (this.#batch?.id !== batch) return;
    const { size } = this.#batch;
    this.#batch = undefined;
    if (index === undefined) return this.#failFirst(size);
    for (const { context } of this.#waiting.splice(0, size)) this.#answers.push({ context, kind: 'ready', index });
  }

  takeAnswers(): readonly ReadState[] {
    const answers = this.#answers;
    this.#answers = [];
    return answers;
  }

  #failFirst(count: number): void {
    for (const { context } of this.#waiting.splice(0, count)) this.fail(context);
  }
}
