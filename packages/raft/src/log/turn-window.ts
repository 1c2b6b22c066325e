// Which turn rows are kept: those that LevelDB may still hold in its own log, where a damaged record is dropped without
// a word. That is its write buffer and the one being flushed; what is older lies in tables.
import { strict as assert } from 'node:assert';

export class TurnWindow {
  readonly #maxBytes: number;
  readonly #maxTurns: number;
  /** Bytes of each kept turn's batch, the oldest first; slots before `#start` are given up already. */
  #batchBytes: number[];
  #start = 0;
  #sum = 0;
  #oldest: number;

  /** @param maxTurns a bound on the rows themselves, for turns that hold nearly nothing */
  constructor(maxBytes: number, maxTurns: number, oldest: number, batchBytes: readonly number[]) {
    this.#maxBytes = maxBytes;
    this.#maxTurns = maxTurns;
    this.#oldest = oldest;
    this.#batchBytes = [...batchBytes];
    for (const bytes of batchBytes) this.#sum += bytes;
  }

  /** Adds the next turn; returns the oldest turn that is still kept. Rows before it may be deleted. */
  add(batchBytes: number): number {
    this.#batchBytes.push(batchBytes);
    this.#sum += batchBytes;
    for (;;) {
      const first = this.#batchBytes[this.#start];
      assert(first !== undefined);
      const kept = this.#batchBytes.length - this.#start;
      if (kept === 1 || (this.#sum - first < this.#maxBytes && kept <= this.#maxTurns)) break;
      this.#sum -= first;
      this.#start += 1;
      this.#oldest += 1;
    }
    if (this.#start > 4096) {
      this.#batchBytes = this.#batchBytes.slice(this.#start);
      this.#start = 0;
    }
    return this.#oldest;
  }
}
