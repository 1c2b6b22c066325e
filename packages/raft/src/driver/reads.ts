// Reads that wait: first for the core to name an index (thesis 6.4), then for apply to get there.

/** What became of a read that is to see everything that was committed before it (thesis 6.4). */
export type ReadOutcome =
  /** The state machine has applied everything that was committed anywhere when the read was asked for. */
  | { readonly kind: 'ready'; readonly index: number }
  /**
   * No leader is known, or it was lost, hands over or did not answer in time; too many wait; or this node fell behind or stops.
   * Ask again.
   */
  | { readonly kind: 'failed' };

interface Waiting {
  readonly untilMs: number;
  readonly settle: (outcome: ReadOutcome) => void;
}

interface Answer {
  readonly context: number;
  readonly kind: 'ready' | 'failed';
  readonly index?: number;
}

export class Reads {
  #contexts = 0;
  readonly #asked = new Map<number, Waiting>();
  /** In the order of being answered, so nearly in the order of their indexes. */
  #confirmed: (Waiting & { readonly index: number })[] = [];

  get waiting(): number {
    return this.#asked.size + this.#confirmed.length;
  }

  /** @returns the context to ask the core with; it bounds how many wait there */
  add(settle: (outcome: ReadOutcome) => void, untilMs: number): number {
    this.#contexts += 1;
    this.#asked.set(this.#contexts, { settle, untilMs });
    return this.#contexts;
  }

  /** What the core answered, each context once. */
  answered(answers: readonly Answer[], applied: number): void {
    for (const { context, index } of answers) {
      const asked = this.#asked.get(context);
      this.#asked.delete(context);
      if (asked === undefined) continue;
      if (index === undefined) asked.settle({ kind: 'failed' });
      else this.#confirmed.push({ ...asked, index });
    }
    this.applied(applied);
  }

  applied(applied: number): void {
    if (this.#confirmed.length === 0) return;
    const ready = this.#confirmed.filter(({ index }) => index <= applied);
    if (ready.length === 0) return;
    this.#confirmed = this.#confirmed.filter(({ index }) => index > applied);
    for (const { settle, index } of ready) settle({ kind: 'ready', index });
  }

  /** The core gives up by itself what it was asked; a node that does not get the entries would wait for ever. */
  tick(nowMs: number): void {
    if (this.#confirmed.every(({ untilMs }) => untilMs > nowMs)) return;
    const late = this.#confirmed.filter(({ untilMs }) => untilMs <= nowMs);
    this.#confirmed = this.#confirmed.filter(({ untilMs }) => untilMs > nowMs);
    for (const { settle } of late) settle({ kind: 'failed' });
  }

  end(): void {
    const waiting = [...this.#asked.values(), ...this.#confirmed];
    this.#asked.clear();
    this.#confirmed = [];
    for (const { settle } of waiting) settle({ kind: 'failed' });
  }
}
