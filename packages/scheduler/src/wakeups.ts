// Who must be looked at when: heaps in order of time, and the one timer of a leadership.
//
// The timer is only a hint. A callback may come up to 1 ms early (Node rounds), late (a pause), or for a time that moved
// (clocks are set): whoever is woken asks the clocks again and arms anew.

/** Something with a time. It can stand in one heap at a time; `slot` is where, -1 for nowhere. */
export interface Timed {
  timeMs: number;
  slot: number;
}

/** A binary heap whose items know their place, so that an ended lease leaves nothing behind. */
export class TimeHeap<T extends Timed> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  first(): T | undefined {
    return this.#items[0];
  }

  /** Puts the item in, or moves it. */
  set(item: T, timeMs: number): void {
    item.timeMs = timeMs;
    if (item.slot < 0) {
      item.slot = this.#items.length;
      this.#items.push(item);
    }
    this.#rise(item);
    this.#sink(item);
  }

  remove(item: T): void {
    const slot = item.slot;
    if (slot < 0) return;
    item.slot = -1;
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    this.#place(last, slot);
    this.#rise(last);
    this.#sink(last);
  }

  #place(item: T, slot: number): void {
    this.#items[slot] = item;
    item.slot = slot;
  }

  #rise(item: T): void {
    while (item.slot > 0) {
      const slot = item.slot;
      const parent = this.#items[(slot - 1) >> 1];
      if (parent === undefined || parent.timeMs <= item.timeMs) return;
      this.#place(item, parent.slot);
      this.#place(parent, slot);
    }
  }

  #sink(item: T): void {
    for (;;) {
      const slot = item.slot;
      const left = this.#items[2 * slot + 1];
      const right = this.#items[2 * slot + 2];
      const child = right !== undefined && left !== undefined && right.timeMs < left.timeMs ? right : left;
      if (child === undefined || child.timeMs >= item.timeMs) return;
      this.#place(item, child.slot);
      this.#place(child, slot);
    }
  }
}

export interface TimerClock {
  monotonicMs(): number;
  after(delayMs: number, callback: () => void): () => void;
}

/** At most one timer runs. */
export class SingleTimer {
  readonly #clock: TimerClock;
  readonly #fire: () => void;
  #cancel: (() => void) | undefined;
  #firesAtMs = Number.POSITIVE_INFINITY;

  constructor(clock: TimerClock, fire: () => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  /** Fires in `delayMs` at the latest; an earlier alarm that is set already stays. */
  arm(delayMs: number): void {
    const wholeMs = Math.max(1, Math.ceil(delayMs));
    const firesAtMs = this.#clock.monotonicMs() + wholeMs;
    if (firesAtMs >= this.#firesAtMs) return;
    this.cancel();
    this.#firesAtMs = firesAtMs;
    this.#cancel = this.#clock.after(wholeMs, () => {
      this.#cancel = undefined;
      this.#firesAtMs = Number.POSITIVE_INFINITY;
      this.#fire();
    });
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#firesAtMs = Number.POSITIVE_INFINITY;
  }
}
