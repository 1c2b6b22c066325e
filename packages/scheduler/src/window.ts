// Walk 11/15: the message comes near. From store/apply/schedule.ts, on to scheduler/scheduler.ts.
//
// The near future of one group, in one typed array: rows in order of (time, seq), however many wait behind them.
//
// Invariant W: the window holds every row of its range in (what was taken, end], as of the last entry that was heard.
// It is kept by three rules, and pick.ts moves a cursor on the strength of it:
//   1. A scan begins where the window ends, and what an entry inserts beyond that while the scan runs (the scan's view
//      can not show it) is kept aside and merged when the scan ends.
//   2. What is inserted at or below `end` is inserted here.
//   3. What finds no room is let go from the far end, and `end` comes back to the last row kept; while a scan runs,
//      what is let go is kept aside, too.
// Rows that left the store in the meantime (cancelled) may still stand here; apply leaves them out.

/** `payload`: two more numbers with each row (the position that a retry row points at). */
export interface WindowShape {
  readonly capacity: number;
  readonly payload: boolean;
}

interface Key {
  readonly timeMs: number;
  readonly seq: number;
}

export type WindowRow = readonly [timeMs: number, seq: number, fireAtMs: number, positionSeq: number];

const everywhere: Key = { timeMs: Number.POSITIVE_INFINITY, seq: Number.POSITIVE_INFINITY };
const smallestRows = 16;

export class Window {
  readonly #shape: WindowShape;
  readonly #stride: number;
  #rows: Float64Array;
  #head = 0;
  #count = 0;
  #end: Key;
  /** What was inserted beyond `end`, or let go, while a scan runs. */
  #aside: Window | undefined;

  /** Empty, and knowing nothing above `end`. */
  constructor(shape: WindowShape, end: Key) {
    this.#shape = shape;
    this.#stride = shape.payload ? 4 : 2;
    this.#rows = new Float64Array(smallestRows * this.#stride);
    this.#end = end;
  }

  get size(): number {
    return this.#count;
  }

  /** Nothing of the range lies beyond. */
  get complete(): boolean {
    return this.#end === everywhere;
  }

  get scanning(): boolean {
    return this.#aside !== undefined;
  }

  get end(): Key {
    return this.#end;
  }

  /** Infinity when empty. */
  get firstTimeMs(): number {
    return this.#count === 0 ? Number.POSITIVE_INFINITY : this.#at(0, 0);
  }

  get firstSeq(): number {
    return this.#count === 0 ? Number.POSITIVE_INFINITY : this.#at(0, 1);
  }

  /** Takes the first row out. */
  shift(): WindowRow | undefined {
    if (this.#count === 0) return undefined;
    const row = this.#rowAt(0);
    this.#head++;
    this.#count--;
    if (this.#count === 0) this.#head = 0;
    return row;
  }

  insert(timeMs: number, seq: number, fireAtMs = timeMs, positionSeq = seq): void {
    if (this.#isBeyond(timeMs, seq)) {
      this.#aside?.insert(timeMs, seq, fireAtMs, positionSeq);
      return;
    }
    const slot = this.#slotFor(timeMs, seq);
    if (slot < this.#count && this.#at(slot, 0) === timeMs && this.#at(slot, 1) === seq) return;
    const isFull = this.#count === this.#shape.capacity;
    if (isFull && slot === this.#count) {
      this.#endAtLast();
      this.#aside?.insert(timeMs, seq, fireAtMs, positionSeq);
      return;
    }
    const dropped = isFull ? this.#rowAt(--this.#count) : undefined;
    this.#makeRoom(slot);
    const at = (this.#head + slot) * this.#stride;
    this.#rows[at] = timeMs;
    this.#rows[at + 1] = seq;
    if (this.#shape.payload) {
      this.#rows[at + 2] = fireAtMs;
      this.#rows[at + 3] = positionSeq;
    }
    this.#count++;
    if (dropped === undefined) return;
    this.#endAtLast();
    // A running scan began at the old end and will not see this row again.
    this.#aside?.insert(...dropped);
  }

  /** From now on what lies beyond `end` is kept aside. The view of the scan must be taken in the same step. */
  beginScan(): void {
    this.#aside = new Window(this.#shape, everywhere);
  }

  /** @param rows what lay beyond `end` in the scan's view, in order @param exhausted nothing lay beyond them */
  endScan(rows: readonly WindowRow[], exhausted: boolean): void {
    const aside = this.#aside;
    if (aside === undefined) throw new Error('a scan ended that never began');
    this.#aside = undefined;
    const last = rows.at(-1);
    const seen = exhausted || last === undefined ? everywhere : { timeMs: last[0], seq: last[1] };
    this.#end = isAbove(seen, aside.#end) ? aside.#end : seen;
    for (const row of rows) this.insert(...row);
    for (let row = aside.shift(); row !== undefined; row = aside.shift()) this.insert(...row);
  }

  #isBeyond(timeMs: number, seq: number): boolean {
    return timeMs > this.#end.timeMs || (timeMs === this.#end.timeMs && seq > this.#end.seq);
  }

  #endAtLast(): void {
    this.#end = { timeMs: this.#at(this.#count - 1, 0), seq: this.#at(this.#count - 1, 1) };
  }

  #at(slot: number, column: number): number {
    const value = this.#rows[(this.#head + slot) * this.#stride + column];
    if (value === undefined) throw new Error(`window: slot ${slot} is outside of the array`);
    return value;
  }

  #rowAt(slot: number): WindowRow {
    const payload = this.#shape.payload ? 2 : 0;
    return [this.#at(slot, 0), this.#at(slot, 1), this.#at(slot, payload), this.#at(slot, payload + 1)];
  }

  /** The first slot whose row is not below (timeMs, seq). */
  #slotFor(timeMs: number, seq: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >> 1;
      const isBelow = this.#at(middle, 0) < timeMs || (this.#at(middle, 0) === timeMs && this.#at(middle, 1) < seq);
      if (isBelow) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #makeRoom(slot: number): void {
    const stride = this.#stride;
    if ((this.#head + this.#count + 1) * stride > this.#rows.length) {
      // More than half of the array in front of the head is worth sliding down; otherwise it grows, up to the capacity.
      const roomy = this.#head > this.#count ? this.#rows : new Float64Array(this.#rows.length * 2);
      roomy.set(this.#rows.subarray(this.#head * stride, (this.#head + this.#count) * stride));
      this.#rows = roomy;
      this.#head = 0;
    }
    const from = (this.#head + slot) * stride;
    this.#rows.copyWithin(from + stride, from, (this.#head + this.#count) * stride);
  }
}

function isAbove(a: Key, b: Key): boolean {
  return a.timeMs > b.timeMs || (a.timeMs === b.timeMs && a.seq > b.seq);
}
