// True time, and the clocks that nodes believe in. One queue of events; each runs alone, and everything that it set in
// motion (promises, next ticks) comes to rest before the next. Simulated time costs nothing while nothing happens.

export interface Scheduled {
  cancel(): void;
}

interface Event {
  readonly atMs: number;
  /** Among equals the one that was added first goes first. */
  readonly order: number;
  action: (() => void) | undefined;
}

export interface TrueTime {
  readonly nowMs: number;
  readonly events: number;
  /** Runs the action `delayMs` of true time from now. */
  after(delayMs: number, action: () => void): Scheduled;
  /** Runs events until true time has reached `untilMs`. `afterEach` is called when each has come to rest. */
  runUntil(untilMs: number, afterEach: () => void): Promise<void>;
}

/** Lets promises and next ticks run until nothing is left of them: immediates come after both. */
const atRest = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const before = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

class EventHeap {
  #heap: Event[] = [];
  #cancelled = 0;

  get first(): Event | undefined {
    return this.#heap[0];
  }

  push(event: Event): void {
    let at = this.#heap.length;
    this.#heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#heap[parent];
      if (above === undefined || !before(event, above)) break;
      this.#heap[at] = above;
      at = parent;
    }
    this.#heap[at] = event;
  }

  /** One of them has no action any more. It may be due in weeks, so those go when they are half of all. */
  cancelled(): void {
    this.#cancelled++;
    if (2 * this.#cancelled < this.#heap.length) return;
    // What is sorted is a heap.
    this.#heap = this.#heap.filter(({ action }) => action !== undefined).sort((a, b) => (before(a, b) ? -1 : 1));
    this.#cancelled = 0;
  }

  pop(): void {
    if (this.first !== undefined && this.first.action === undefined) this.#cancelled--;
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = this.#heap[child];
      if (left === undefined) break;
      const right = this.#heap[child + 1];
      if (right !== undefined && before(right, left)) child++;
      const least = this.#heap[child];
      if (least === undefined || !before(least, last)) break;
      this.#heap[at] = least;
      at = child;
    }
    this.#heap[at] = last;
  }
}

export function createTrueTime(): TrueTime {
  const queue = new EventHeap();
  let nowMs = 0;
  let order = 0;
  let events = 0;
  return {
    get nowMs() {
      return nowMs;
    },
    get events() {
      return events;
    },
    after(delayMs, action) {
      const event: Event = { atMs: nowMs + Math.max(0, delayMs), order: order++, action };
      queue.push(event);
      return {
        cancel: () => {
          if (event.action === undefined) return;
          event.action = undefined;
          queue.cancelled();
        },
      };
    },
    async runUntil(untilMs, afterEach) {
      for (let next = queue.first; next !== undefined && next.atMs <= untilMs; next = queue.first) {
        queue.pop();
        const { action } = next;
        if (action === undefined) continue;
        // It can not be cancelled any more.
        next.action = undefined;
        nowMs = next.atMs;
        events++;
        action();
        await atRest();
        afterEach();
      }
      nowMs = Math.max(nowMs, untilMs);
    },
  };
}

/** 2030-01-01T00:00:00Z: where true time 0 stands on a wall clock that is right. */
export const epochMs = 1_893_456_000_000;

/** What one machine believes about time. It survives a crash of its process; a monotonic clock begins at each start. */
export class MachineClock {
  readonly #time: TrueTime;
  #skewMs: number;
  /** Parts in one: 0.0001 gains 0.1 ms a second. */
  readonly #drift: number;

  constructor(time: TrueTime, skewMs: number, drift: number) {
    this.#time = time;
    this.#skewMs = skewMs;
    this.#drift = drift;
  }

  /** How far the wall clock is from the truth now. */
  get errorMs(): number {
    return this.#skewMs + this.#drift * this.#time.nowMs;
  }

  wallMs(): number {
    return Math.floor(epochMs + this.#time.nowMs + this.errorMs);
  }

  /** Runs at the machine's own rate, never goes back, knows nothing of jumps. */
  monotonicMs(): number {
    return 1_000_000 + this.#time.nowMs * (1 + this.#drift);
  }

  /** True ms that pass while this machine's clocks count `ownMs`. */
  trueMs(ownMs: number): number {
    return ownMs / (1 + this.#drift);
  }

  /** Somebody sets the wall clock, to something that is wrong by this. */
  set(errorMs: number): void {
    this.#skewMs = errorMs - this.#drift * this.#time.nowMs;
  }
}
